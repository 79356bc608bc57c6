// The application or the endpoint that a task is confined to, by its name, as a link; by its id where it is not there any more.
import { api } from '../api/client';
import { Id } from '../design/values/Id';
import { EndpointName } from '../endpoints/name';
import { Go, usePlaces } from '../navigation/places';

interface Props {
  /** `appId`, or the name of an endpoint's id. */
  name: string;
  id: string;
  /** The application that the task is confined to. */
  appId: string | undefined;
}

export function AskedObject({ name, id, appId }: Props) {
  if (name === 'appId') return <Application appId={id} />;
  return appId ? <Endpoint appId={appId} endpointId={id} /> : <Id id={id} whole />;
}

function Application({ appId }: { appId: string }) {
  const places = usePlaces();
  const { data } = api.useQuery(
    'get',
    '/api/v1/app/{app_id}',
    { params: { path: { app_id: appId } } },
    { retry: false },
  );
  if (!data) return <Id id={appId} whole />;
  return (
    <Go to={places.application(appId) ?? '/'} className="link">
      {data.name}
    </Go>
  );
}

function Endpoint({ appId, endpointId }: { appId: string; endpointId: string }) {
  const places = usePlaces();
  const { data } = api.useQuery(
    'get',
    '/api/v1/app/{app_id}/endpoint/{endpoint_id}',
    { params: { path: { app_id: appId, endpoint_id: endpointId } } },
    { retry: false },
  );
  if (!data) return <Id id={endpointId} whole />;
  return (
    <Go to={places.endpoint(appId, endpointId)} className="link">
      <EndpointName url={data.url} />
    </Go>
  );
}
