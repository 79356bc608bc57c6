// Says at the top what stops or slows an endpoint, whose fault it is, and what to do.
import type { Endpoint, EndpointOverview } from '../api/types';
import { Button } from '../design/controls/Button';
import { Callout } from '../design/feedback/Notice';
import { useCopy } from '../design/values/Id';
import { useNow } from '../design/values/Time';
import { useFormat, useT } from '../i18n';
import { usePlaces } from '../navigation/places';
import { Acknowledge } from '../overview/Incidents';
import '../overview/overview.css';
import { useEndpointActs } from './acts';
import { endpointName } from './name';

interface Props {
  appId: string;
  endpoint: Endpoint;
  overview: EndpointOverview | undefined;
}

export function EndpointCallout({ appId, endpoint, overview }: Props) {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const { isPortal } = usePlaces();
  const acts = useEndpointActs(appId, endpoint);
  const [isCopied, copy] = useCopy();
  const held = overview?.heldBecause;
  if (held) {
    const canEnable = held.code.startsWith('disabled_') && acts.canManage;
    const canResume = held.code === 'endpoint_paused' && acts.canPause;
    return (
      <div className="callout-space">
        <Callout
          state="held"
          icon="held"
          title={t.why.held(held, format, now)}
          actions={
            <>
              {canEnable && (
                <Button icon="play" onClick={() => acts.setDisabled(false)}>
                  {t.endpoint.enable}
                </Button>
              )}
              {canResume && (
                <Button icon="play" onClick={acts.resume}>
                  {t.endpoint.resume}
                </Button>
              )}
            </>
          }
        >
          {t.why.heldNote(held, format, now)}
        </Callout>
      </div>
    );
  }
  const incident = overview?.incident;
  if (!incident) return null;
  const note = t.endpoint.noteForTenant(endpointName(endpoint.url), t.incident.what(incident, format, now));
  return (
    <div className="callout-space">
      <Callout
        state="waiting"
        title={t.endpoint.failingSince(
          format.moment(incident.since, now),
          t.answer(incident.lastStatusCode, incident.lastFailure),
        )}
        actions={
          !isPortal && (
            <>
              <Acknowledge incident={incident} />
              <Button icon="copy" onClick={() => copy(note)}>
                {isCopied ? t.copied : t.endpoint.copyNote}
              </Button>
            </>
          )
        }
      >
        {isPortal ? t.endpoint.failingNoteTenant : t.endpoint.failingNote}
        {overview?.throttledUntil && ` ${t.endpoint.throttled(format.clock(overview.throttledUntil))}`}
      </Callout>
    </div>
  );
}
