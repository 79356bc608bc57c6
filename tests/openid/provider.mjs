// A real OpenID provider, in memory. Whoever the test names next signs in without being asked anything.
//
// PORT, CLIENT_ID, CLIENT_SECRET (none for a public client), REDIRECT, IN_ID_TOKEN (whether the ID token has all claims)
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const { default: Provider } = await import(pathToFileURL(`${process.env.NODE_PATH}/oidc-provider/lib/index.js`));

const { PORT, CLIENT_ID, CLIENT_SECRET, REDIRECT, IN_ID_TOKEN } = process.env;
const issuer = `http://127.0.0.1:${PORT}`;
const scope = 'openid profile email groups';
/** What is known of everybody, and who signs in next: `sub`, `claims`, or `error`. */
const accounts = new Map();
let next;

const provider = new Provider(issuer, {
  clients: [{
    client_id: CLIENT_ID,
    redirect_uris: [REDIRECT],
    ...(CLIENT_SECRET ? { client_secret: CLIENT_SECRET } : { token_endpoint_auth_method: 'none' }),
  }],
  scopes: scope.split(' '),
  claims: { openid: ['sub'], profile: ['name'], email: ['email'], groups: ['groups'] },
  conformIdTokenClaims: IN_ID_TOKEN !== 'true',
  pkce: { required: () => true },
  cookies: { keys: ['a key for tests'] },
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...accounts.get(sub) }) }),
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({ clientId: CLIENT_ID, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope(scope);
    await grant.save();
    return grant;
  },
});
const serve = provider.callback();

createServer(async (request, response) => {
  if (request.url === '/next') {
    let body = '';
    for await (const part of request) body += part;
    next = JSON.parse(body);
    accounts.set(next.sub, next.claims);
    response.end();
  } else if (request.url.startsWith('/interaction/')) {
    const result = next.error ? { error: next.error } : { login: { accountId: next.sub } };
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  } else {
    serve(request, response);
  }
}).listen(Number(PORT), '127.0.0.1', () => console.log('listening'));
// The test that started it may be killed.
process.stdin.resume().on('end', () => process.exit());
