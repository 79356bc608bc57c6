// What the API answers when something is wrong, as one kind of error.

export interface FieldProblem {
  loc: string[];
  msg: string;
  /** The kind of error. */
  type?: string;
}

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly fields: FieldProblem[];
  readonly requestId: string | null;
  readonly retryAfterSeconds: number | null;

  constructor(status: number, body: unknown, headers: Headers) {
    const { code, detail } = (body ?? {}) as { code?: string; detail?: unknown };
    const fields = Array.isArray(detail) ? (detail as FieldProblem[]) : [];
    super(typeof detail === 'string' ? detail : fields.map(sentenceOf).join(' '));
    this.name = 'ApiError';
    this.status = status;
    this.code = code ?? (status === 422 ? 'invalid' : 'unknown');
    this.fields = fields;
    this.requestId = headers.get('x-request-id');
    this.retryAfterSeconds = Number(headers.get('retry-after')) || null;
  }

  /** What is wrong with one field of the body, if anything. */
  field(name: string): string | undefined {
    return this.fields.find((field) => field.loc.includes(name))?.msg;
  }
}

/** Whether asking the same once more may be answered otherwise. */
export function mayPass(error: unknown): boolean {
  return !(error instanceof ApiError) || error.status >= 500 || [408, 425, 429].includes(error.status);
}

/** The parameters of the question that were refused. */
export function refusedParameters(error: unknown): string[] {
  if (!(error instanceof ApiError) || error.status !== 422) return [];
  return error.fields.filter((field) => field.loc[0] === 'query').map((field) => field.loc[1] ?? '');
}

function sentenceOf(field: FieldProblem): string {
  return `${field.loc.slice(1).join('.')}: ${field.msg}.`;
}

export function isStatus(error: unknown, status: number): boolean {
  return error instanceof ApiError && error.status === status;
}
