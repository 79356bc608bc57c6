// What a receiver answered, or why there was no answer.

/** Reason phrases of RFC 9110 and others in use. */
export const phrases: Record<number, string> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  301: 'Moved Permanently',
  302: 'Found',
  303: 'See Other',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  308: 'Permanent Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** The words of AttemptOut.failure. */
const failures: Record<string, string> = {
  status: 'Not a 2xx answer',
  redirect: 'Redirect, not followed',
  gone: 'Gone',
  overloaded: 'Overloaded',
  timeout: 'No answer in time',
  dns: 'Name not found',
  egress_refused: 'Address not allowed',
  connection: 'No connection',
  tls: 'TLS failed',
  unsendable: 'No request could be built',
};

export function answer(status: number | null | undefined, failure: string | null | undefined): string {
  if (status) return [status, phrases[status]].filter(Boolean).join(' ');
  if (!failure) return '–';
  return failures[failure] ?? failure.replaceAll('_', ' ');
}

/** What is known beyond that, as the server tells it: the beginning of an answer, or how a connection failed. Of the other
 *  failures it would say again what their name says. */
export function known(
  status: number | null | undefined,
  failure: string | null | undefined,
  error: string | null | undefined,
): string | null {
  if (!error) return null;
  if (status) return `“${error}”`;
  return failure === 'connection' || failure === 'tls' ? error : null;
}
