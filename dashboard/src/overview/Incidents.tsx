// What is wrong now, in two bands: whose, what and since when, what to do, and a chart that shows the start.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { client } from '../api/client';
import type { Incident } from '../api/types';
import { Sparkline } from '../design/charts/Sparkline';
import { Button, ButtonLink } from '../design/controls/Button';
import { Icon } from '../design/values/Icon';
import { Rich } from '../design/values/Rich';
import type { StateName } from '../design/values/states';
import { useNow } from '../design/values/Time';
import { endpointName } from '../endpoints/name';
import { useFormat, useT } from '../i18n';
import { Go, usePlaces } from '../navigation/places';

export function Incidents({ incidents }: { incidents: Incident[] }) {
  const t = useT();
  if (incidents.length === 0) return null;
  const bands = [
    { name: 'now' as const, rows: incidents.filter((incident) => incident.band === 'now') },
    { name: 'later' as const, rows: incidents.filter((incident) => incident.band === 'later') },
  ];
  return (
    <section className="card incidents" aria-label={t.overview.incidents}>
      {bands
        .filter((band) => band.rows.length > 0)
        .map((band) => (
          <div key={band.name}>
            <h2 className={`band ${band.name}`}>
              <Icon name={band.name === 'now' ? 'warning' : 'waiting'} small />
              {t.incident.bands[band.name]} <span className="faint">· {band.rows.length}</span>
            </h2>
            {band.rows.map((incident) => (
              <IncidentRow key={incident.id} incident={incident} />
            ))}
          </div>
        ))}
    </section>
  );
}

const chartStates: Record<Incident['kind'], StateName> = {
  node_stopped: 'dead',
  dispatching_paused: 'held',
  overdue: 'dead',
  endpoint_failing: 'waiting',
  endpoint_disabled: 'held',
};

function IncidentRow({ incident }: { incident: Incident }) {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const places = usePlaces();
  const isOurs = incident.whose === 'ours';
  const path = incident.endpointId && incident.appId ? places.endpoint(incident.appId, incident.endpointId) : '/nodes';
  const title = t.incident.title(incident, incident.url ? endpointName(incident.url) : '');
  return (
    <article className="incident" aria-label={title}>
      <span className={isOurs ? 'fault dead' : 'fault dim'}>
        <Icon name={isOurs ? 'node' : 'external'} small />
        {isOurs ? t.incident.ours : t.incident.receiver}
      </span>
      <div className="incident-what">
        <Go to={path} className="title medium">
          {title}
        </Go>
        <p className="small dim">{t.incident.what(incident, format, now)}</p>
      </div>
      <p className="small dim incident-do">
        <Rich text={t.incident.todo(incident)} />
      </p>
      <div className="incident-chart">
        <Sparkline values={incident.series} state={chartStates[incident.kind]} />
        <span className="caption">
          {t.incident.chart(incident, format.duration(incident.series.length * incident.bucketSeconds * 1000))}
        </span>
      </div>
      <div className="incident-acts">
        {isOurs ? (
          <ButtonLink to={path} kind={incident.band === 'now' ? 'primary' : 'plain'}>
            {t.incident.open(incident)}
          </ButtonLink>
        ) : (
          <Acknowledge incident={incident} />
        )}
      </div>
    </article>
  );
}

export function Acknowledge({ incident }: { incident: Incident }) {
  const t = useT();
  const format = useFormat();
  const queries = useQueryClient();
  const change = useMutation({
    mutationFn: (isKnown: boolean) => {
      const input = { params: { path: { incident_id: incident.id } } };
      const path = '/api/v1/incident/{incident_id}/acknowledge';
      return isKnown ? client.POST(path, input) : client.DELETE(path, input);
    },
    onSuccess: () => queries.invalidateQueries(),
  });
  if (incident.acknowledgedAt) {
    return (
      <span className="small faint incident-seen">
        {t.incident.seen(incident.acknowledgedBy, format.moment(incident.acknowledgedAt))}
        <Button small kind="quiet" icon="cross" iconOnly isBusy={change.isPending} onClick={() => change.mutate(false)}>
          {t.incident.takeBack}
        </Button>
      </span>
    );
  }
  return (
    <Button isBusy={change.isPending} onClick={() => change.mutate(true)}>
      {t.incident.acknowledge}
    </Button>
  );
}
