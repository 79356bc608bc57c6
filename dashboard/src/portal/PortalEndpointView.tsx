// One endpoint of the tenant, with how to check its signatures.
import { Loaded, Skeleton } from '../design/feedback/Loaded';
import { EndpointContent, useEndpoint } from '../endpoints/EndpointView';
import { endpointName } from '../endpoints/name';
import { useT } from '../i18n';
import { Go } from '../navigation/places';
import { useParam } from '../navigation/url';
import { useAccess } from './context';
import { Snippets } from './Snippets';

export function PortalEndpointView() {
  const t = useT();
  const { appId } = useAccess();
  const query = useEndpoint(appId, useParam('endpointId'));
  return (
    <Loaded query={query} skeleton={<Skeleton height={480} />}>
      {(endpoint) => (
        <div className="stack">
          <div>
            <EndpointContent
              appId={appId}
              endpoint={endpoint}
              crumbs={
                <>
                  <Go to="/">{t.portal.endpoints}</Go>
                  <span aria-hidden="true">›</span>
                  <span aria-current="page" className="cut">
                    {endpointName(endpoint.url)}
                  </span>
                </>
              }
            />
          </div>
          <Snippets />
        </div>
      )}
    </Loaded>
  );
}
