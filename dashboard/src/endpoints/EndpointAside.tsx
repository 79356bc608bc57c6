// Secrets, policies in force, and who did what.

import { api } from '../api/client';
import type { Endpoint, EndpointOverview, PolicyLevel } from '../api/types';
import { AuditCard } from '../audit-log/AuditCard';
import { Button } from '../design/controls/Button';
import { Card, Facts } from '../design/layout/Card';
import { SkeletonText } from '../design/tables/Table';
import { Tag } from '../design/values/State';
import { useFormat, useT } from '../i18n';
import { usePermissions } from '../navigation/permissions';
import { Go } from '../navigation/places';
import { useUrl } from '../navigation/url';
import { EndpointInbox } from './InboxCard';
import { SecretsCard } from './SecretsCard';

interface Props {
  appId: string;
  endpoint: Endpoint;
  overview: EndpointOverview | undefined;
}

export function EndpointAside({ appId, endpoint, overview }: Props) {
  const t = useT();
  return (
    <aside className="stack">
      <EndpointInbox appId={appId} endpoint={endpoint} />
      <SecretsCard appId={appId} endpoint={endpoint} secrets={overview?.secrets} />
      <Policies appId={appId} endpoint={endpoint} overview={overview} />
      <AuditCard
        filter={{ app_id: appId, object_id: endpoint.id }}
        end={
          <Go to="." search={{ tab: 'audit' }} className="link small">
            {t.shell.auditLog}
          </Go>
        }
      />
    </aside>
  );
}

function Tags({ values }: { values: string[] | null | undefined }) {
  const t = useT();
  if (!values || values.length === 0) return <span className="dim">{t.all}</span>;
  return (
    <span className="tags">
      {values.map((value) => (
        <Tag key={value} mono>
          {value}
        </Tag>
      ))}
    </span>
  );
}

function Policies({ appId, endpoint, overview }: Props) {
  const t = useT();
  const format = useFormat();
  const [, setUrl] = useUrl();
  const { may } = usePermissions();
  const headers = api.useQuery('get', '/api/v1/app/{app_id}/endpoint/{endpoint_id}/headers', {
    params: { path: { app_id: appId, endpoint_id: endpoint.id } },
  });
  const policies = overview?.policies;
  const from = (source: PolicyLevel) => <span className="faint"> {t.policies.from(source)}</span>;
  const seconds = (value: number | null) => (value === null ? t.unlimited : format.duration(value * 1000));
  const names = [
    ...Object.entries((headers.data?.headers ?? {}) as Record<string, string>).map(
      ([name, value]) => `${name}: ${value}`,
    ),
    ...(headers.data?.sensitive.map((name) => `${name}: ••••`) ?? []),
  ];
  return (
    <Card
      title={t.policies.title}
      end={
        may('ManageEndpoint') && (
          <Button small onClick={() => setUrl({ panel: 'edit' })}>
            {t.edit}
          </Button>
        )
      }
      padded
    >
      <Facts
        rows={[
          [t.endpoint.eventTypes, <Tags key="t" values={endpoint.eventTypes} />],
          [t.endpoint.channels, <Tags key="c" values={endpoint.channels} />],
          [
            t.headers.title,
            headers.isPending ? (
              <SkeletonText key="h" />
            ) : names.length === 0 ? (
              <span key="h" className="dim">
                {headers.data ? t.none : '–'}
              </span>
            ) : (
              <span key="h" className="mono">
                {names.join('\n')}
              </span>
            ),
          ],
          ...(policies
            ? ([
                [
                  t.policies.retries,
                  <span key="r">
                    {policies.retrySchedule.map((wait) => format.duration(wait * 1000)).join(', ') || t.none}
                    {from(policies.retryScheduleFrom)}
                  </span>,
                ],
                [
                  t.policies.rate,
                  <span key="a">
                    {policies.rateLimit.value === null
                      ? t.unlimited
                      : t.policies.perSecond(format.number(policies.rateLimit.value))}
                    {from(policies.rateLimit.from)}
                  </span>,
                ],
                [
                  t.policies.atOnce,
                  <span key="m">
                    {policies.maxInFlight.value === null ? t.unlimited : format.number(policies.maxInFlight.value)}
                    {from(policies.maxInFlight.from)}
                  </span>,
                ],
                [
                  t.policies.deadline,
                  <span key="d">
                    {seconds(policies.deadlineSeconds.value)}
                    {from(policies.deadlineSeconds.from)}
                  </span>,
                ],
                [
                  t.policies.disabledAfter,
                  <span key="s">
                    {policies.disableAfterSeconds.value === null
                      ? t.policies.never
                      : t.policies.ofFailures(seconds(policies.disableAfterSeconds.value))}
                    {from(policies.disableAfterSeconds.from)}
                  </span>,
                ],
                [
                  t.policies.heldFor,
                  <span key="o">
                    {t.policies.atMost(seconds(policies.holdSeconds.value))}
                    {from(policies.holdSeconds.from)}
                  </span>,
                ],
              ] as [React.ReactNode, React.ReactNode][])
            : []),
        ]}
      />
    </Card>
  );
}
