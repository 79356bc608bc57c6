// Signs in to a demonstration by its link, waits until it has something of everything to show, and prints an operator's key.
const url = process.env.POSTRIDER_URL;
const [link] = process.argv.slice(2);

const ask = async (method, path, { headers, body } = {}) => {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { 'content-type': 'application/json', 'postrider-environment': 'org_demo', ...headers },
    body: body && JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
  return { answer: await response.json(), cookie: response.headers.get('set-cookie')?.split(';')[0] };
};

const { answer: session, cookie } = await ask('POST', '/session', { body: { link } });
const headers = { cookie, 'postrider-csrf': session.csrfToken };
const { answer: key } = await ask('POST', '/admin/api-key', {
  headers,
  body: { name: 'screenshots', role: 'operator' },
});

for (;;) {
  const { answer: overview } = await ask('GET', '/overview', { headers });
  const { answer: letters } = await ask('GET', '/dead-letter?state=open&limit=1', { headers });
  if (overview.incidents.length >= 2 && letters.data.length > 0) break;
  await new Promise((resolve) => setTimeout(resolve, 500));
}
console.log(key.key);
