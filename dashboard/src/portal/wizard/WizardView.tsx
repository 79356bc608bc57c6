// Adding an endpoint: URL, event types, a live test, done. Where one is stands in the URL.
import { api } from '../../api/client';
import { Loaded, Skeleton } from '../../design/feedback/Loaded';
import { Empty } from '../../design/feedback/Notice';
import { Card, PageHead } from '../../design/layout/Card';
import { Icon } from '../../design/values/Icon';
import { endpointName } from '../../endpoints/name';
import { useT } from '../../i18n';
import { usePermissions } from '../../navigation/permissions';
import { useUrl } from '../../navigation/url';
import { useAccess } from '../context';
import '../portal.css';
import { StepDone } from './StepDone';
import { StepTest } from './StepTest';
import { StepTypes } from './StepTypes';
import { StepUrl } from './StepUrl';

const steps = ['url', 'types', 'test', 'done'] as const;
export type Step = (typeof steps)[number];

/** Without an endpoint there is nothing to test yet, and without a URL no types to choose for. */
export function stepOf(wanted: string | undefined, hasUrl: boolean, hasEndpoint: boolean): Step {
  if (hasEndpoint) return wanted === 'done' ? 'done' : 'test';
  return wanted === 'types' && hasUrl ? 'types' : 'url';
}

export function WizardView() {
  const t = useT();
  const { appId } = useAccess();
  const { may } = usePermissions();
  const [url] = useUrl();
  const step = stepOf(url.step, Boolean(url.url), Boolean(url.endpoint));
  const endpoint = api.useQuery(
    'get',
    '/api/v1/app/{app_id}/endpoint/{endpoint_id}',
    { params: { path: { app_id: appId, endpoint_id: url.endpoint ?? '' } } },
    { enabled: Boolean(url.endpoint) },
  );
  const at = steps.indexOf(step);
  const target = endpoint.data?.url ?? url.url;
  const notes = [
    target ? endpointName(target) : t.portal.stepNotes.url,
    endpoint.data
      ? endpoint.data.eventTypes?.length
        ? t.portal.someTypes(endpoint.data.eventTypes.length)
        : t.portal.allTypes
      : t.portal.stepNotes.types,
    t.portal.stepNotes.test,
    t.portal.stepNotes.done,
  ];
  if (!may('ManageEndpoint'))
    return (
      <Card label={t.portal.add}>
        <Empty icon="link" title={t.portal.mayNotAdd}>
          {t.portal.mayNotAddNote}
        </Empty>
      </Card>
    );
  return (
    <>
      <PageHead title={t.portal.add} />
      <ol className="steps">
        {steps.map((each, place) => (
          <li key={each} className={place < at ? 'done' : undefined} aria-current={place === at ? 'step' : undefined}>
            <span className="medium">
              {place < at && <Icon name="check" small />} {place + 1}. {t.portal.steps[place]}
            </span>
            <span className="caption" title={notes[place]}>
              {notes[place]}
            </span>
          </li>
        ))}
      </ol>
      {step === 'url' && <StepUrl />}
      {step === 'types' && <StepTypes />}
      {(step === 'test' || step === 'done') && (
        <Loaded query={endpoint} skeleton={<Skeleton height={320} />}>
          {(made) => (step === 'test' ? <StepTest key={made.url} endpoint={made} /> : <StepDone endpoint={made} />)}
        </Loaded>
      )}
    </>
  );
}
