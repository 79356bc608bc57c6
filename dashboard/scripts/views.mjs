// Every view of both applications, with ids of things that are there: found through the API of a running server.

export async function findViews({ url, key }) {
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    'postrider-environment': process.env.POSTRIDER_ENVIRONMENT ?? 'org_demo',
  };
  const ask = async (method, path, body) => {
    const response = await fetch(`${url}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}`);
    return response.json();
  };
  const letters = await ask('GET', '/dead-letter?state=open&limit=1&order=descending');
  const letter = letters.data[0];
  const { data: apps } = await ask('GET', '/app?limit=50');
  const app =
    apps.find((each) => each.uid === process.env.POSTRIDER_APP) ??
    apps.find((each) => each.id === letter?.appId) ??
    apps[0];
  const { data: endpoints } = await ask('GET', `/app/${app.id}/endpoint`);
  const { data: messages } = await ask('GET', `/app/${app.id}/msg?limit=1`);
  const { data: tasks } = await ask('GET', '/background-task?limit=1');
  const { data: types } = await ask('GET', '/event-type?limit=50&with_content=true');
  const { data: hooks } = await ask('GET', '/operational-webhook/endpoint?limit=1');
  const { data: rules } = await ask('GET', '/alert-rule');
  const link = await ask('POST', `/auth/app-portal-access/${app.id}`, {});
  const type = types.find((each) => each.schemas) ?? types[0];
  const at = `/applications/${app.id}`;
  const endpoint = endpoints.at(-1);
  return {
    portalKey: new URL(link.url).hash,
    console: prune({
      'sign-in': '/sign-in',
      overview: '/',
      applications: '/applications',
      'application-new': '/applications?panel=new',
      application: at,
      'application-usage': `${at}?tab=usage`,
      'application-portal-link': `${at}?panel=portal`,
      endpoint: endpoint && `${at}/endpoints/${endpoint.id}`,
      'endpoint-attempts': endpoint && `${at}/endpoints/${endpoint.id}?tab=attempts`,
      'endpoint-edit': endpoint && `${at}/endpoints/${endpoint.id}?panel=edit`,
      'endpoint-recover': endpoint && `${at}/endpoints/${endpoint.id}?panel=recover`,
      'endpoint-test': endpoint && `${at}/endpoints/${endpoint.id}?panel=test`,
      messages: '/messages',
      message: messages[0] && `${at}/messages/${messages[0].id}`,
      'dead-letters': '/dead-letters',
      'dead-letters-open': letter && `/dead-letters?open=${letter.endpointId}:${letter.reason}`,
      'dead-letters-replay': letter && `/dead-letters?panel=replay&for=${letter.endpointId}:${letter.reason}`,
      'dead-letters-time': '/dead-letters?by=time',
      'dead-letter': letter && `/dead-letters/${letter.id}`,
      'event-types': '/event-types',
      'event-type': type && `/event-types/${type.name}`,
      tasks: '/tasks',
      task: tasks[0] && `/tasks/${tasks[0].id}`,
      nodes: '/nodes',
      alerts: '/alerts',
      'alert-rule-new': '/alerts?panel=new-rule',
      'alert-rule': rules[0] && `/alerts?panel=rule&id=${rules[0].id}`,
      'alert-channel-new': '/alerts?panel=new-channel',
      'operational-webhooks': '/operational-webhooks',
      'operational-webhook': hooks[0] && `/operational-webhooks/${hooks[0].id}`,
      'portal-look': '/portal-look',
      'api-keys': '/api-keys',
      'api-key-new': '/api-keys?panel=new',
      people: '/people',
      'audit-log': '/audit-log',
      settings: '/settings',
      nowhere: '/nowhere',
    }),
    portal: prune({
      endpoints: '/',
      'add-url': '/add',
      'add-types': '/add?step=types&url=https%3A%2F%2Fexample.com%2Fwebhooks',
      'add-test': endpoint && `/add?step=test&endpoint=${endpoint.id}`,
      endpoint: endpoint && `/endpoints/${endpoint.id}`,
      messages: '/messages',
      message: messages[0] && `/messages/${messages[0].id}`,
      'dead-letters': '/dead-letters',
      'event-types': '/event-types',
      'event-type': type && `/event-types/${type.name}`,
    }),
  };
}

function prune(views) {
  return Object.fromEntries(Object.entries(views).filter(([, path]) => path));
}
