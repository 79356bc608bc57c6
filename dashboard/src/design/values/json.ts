// JSON as text: it is never parsed to be shown, because that would change big numbers, escapes and the order of keys.

export type TokenKind = 'key' | 'string' | 'number' | 'word' | 'mark' | 'space' | 'other';

export interface Token {
  kind: TokenKind;
  text: string;
}

const tokenPattern = /("(?:[^"\\]|\\.)*")|(-?\d[\d.eE+-]*)|(true|false|null)|([{}[\],:])|(\s+)|([^\s"{}[\],:]+|")/gy;
const kinds: TokenKind[] = ['string', 'number', 'word', 'mark', 'space', 'other'];

export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  tokenPattern.lastIndex = 0;
  for (let match = tokenPattern.exec(text); match; match = tokenPattern.exec(text)) {
    const place = match.slice(1).findIndex((group) => group !== undefined);
    tokens.push({ kind: kinds[place] ?? 'other', text: match[0] });
  }
  return markKeys(tokens);
}

function markKeys(tokens: Token[]): Token[] {
  tokens.forEach((token, place) => {
    if (token.kind !== 'string') return;
    const next = tokens.slice(place + 1, place + 3).find((each) => each.kind !== 'space');
    if (next?.text === ':') token.kind = 'key';
  });
  return tokens;
}

/** The same JSON, one member a line. What is not JSON stays as it is. */
export function prettyTokens(text: string): Token[] {
  const tokens = tokensOf(text);
  if (!isJson(text)) return [{ kind: 'other', text }];
  const solid = tokens.filter((token) => token.kind !== 'space');
  const result: Token[] = [];
  let depth = 0;
  const newLine = () => result.push({ kind: 'space', text: `\n${'  '.repeat(depth)}` });
  solid.forEach((token, place) => {
    const next = solid[place + 1]?.text;
    const isEnd = token.text === '}' || token.text === ']';
    const before = solid[place - 1]?.text;
    if (isEnd) {
      depth -= 1;
      if (before !== '{' && before !== '[') newLine();
    }
    result.push(token);
    if (token.text === '{' || token.text === '[') {
      depth += 1;
      if (next !== '}' && next !== ']') newLine();
    } else if (token.text === ',') newLine();
    else if (token.text === ':') result.push({ kind: 'space', text: ' ' });
  });
  return result;
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** A payload as it was posted, of an answer that has one: its JSON, or the text that is no JSON object. */
export function payloadIn(text: string): string | null {
  const { rawPayload } = JSON.parse(text) as { rawPayload?: string | null };
  if (typeof rawPayload === 'string') return rawPayload;
  const payload = rawMember(text, 'payload');
  return payload === 'null' ? null : payload;
}

/** The text of one member of the outermost object, exactly as it stands in `text`; null when it is not there. */
export function rawMember(text: string, name: string): string | null {
  const tokens = tokensOf(text);
  let depth = 0;
  for (let place = 0; place < tokens.length; place += 1) {
    const token = tokens[place];
    if (!token) break;
    if (depth === 1 && token.kind === 'key' && token.text === JSON.stringify(name))
      return valueAfter(tokens, place + 1);
    depth += depthOf(token);
  }
  return null;
}

function valueAfter(tokens: Token[], start: number): string | null {
  let place = start;
  while (tokens[place]?.kind === 'space' || tokens[place]?.text === ':') place += 1;
  let value = '';
  let depth = 0;
  for (; place < tokens.length; place += 1) {
    const token = tokens[place];
    if (!token) break;
    value += token.text;
    depth += depthOf(token);
    if (depth === 0) return value;
  }
  return null;
}

function depthOf(token: Token): number {
  if (token.kind !== 'mark') return 0;
  if (token.text === '{' || token.text === '[') return 1;
  return token.text === '}' || token.text === ']' ? -1 : 0;
}
