// The one way to the API. The console is known by a cookie and a CSRF token, the portal by the token of its link.
import createFetchClient, { type Middleware } from 'openapi-fetch';
import createQueryClient from 'openapi-react-query';
import { basePath } from './base';
import { ApiError } from './error';
import type { paths } from './schema';

interface Credentials {
  csrfToken?: string;
  bearer?: string;
  environment?: string;
}

const environmentHeader = 'postrider-environment';
/** Asks about all environments, and what is of none. */
export const everywhere = { [environmentHeader]: '' } as const;

const credentials: Credentials = {};
let onSignedOut: () => void = () => {};

export function setCredentials(change: Credentials): void {
  Object.assign(credentials, change);
}

/** Called when the server knows the caller no longer. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

export function credentialHeaders(method: string): Record<string, string> {
  const headers: Record<string, string> = {};
  if (credentials.bearer) headers.authorization = `Bearer ${credentials.bearer}`;
  if (credentials.environment) headers[environmentHeader] = credentials.environment;
  if (credentials.csrfToken && method !== 'GET') headers['postrider-csrf'] = credentials.csrfToken;
  return headers;
}

const middleware: Middleware = {
  onRequest({ request }) {
    const isEverywhere = request.headers.get(environmentHeader) === '';
    for (const [name, value] of Object.entries(credentialHeaders(request.method))) request.headers.set(name, value);
    if (isEverywhere) request.headers.delete(environmentHeader);
  },
  async onResponse({ request, response }) {
    if (response.ok) return;
    const body = await response.json().catch(() => undefined);
    const isSignIn = new URL(request.url).pathname.endsWith('/api/v1/session');
    if (response.status === 401 && !isSignIn) onSignedOut();
    throw new ApiError(response.status, body, response.headers);
  },
};

// `fetch` is looked up at each call, so that tests can replace it.
export const client = createFetchClient<paths>({
  baseUrl: location.origin + basePath,
  fetch: (request) => fetch(request),
});
client.use(middleware);

export const api = createQueryClient(client);
