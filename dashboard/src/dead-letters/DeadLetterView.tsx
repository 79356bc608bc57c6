// One dead letter: why it died, its payload, its last attempts; to be replayed or discarded.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { client } from '../api/client';
import type { Attempt, DeadLetter } from '../api/types';
import { AuditCard } from '../audit-log/AuditCard';
import { Button } from '../design/controls/Button';
import { Loaded, Skeleton } from '../design/feedback/Loaded';
import { Callout, Empty } from '../design/feedback/Notice';
import { toast } from '../design/feedback/toast';
import { Card, Facts, PageHead } from '../design/layout/Card';
import { Ask } from '../design/layout/Dialog';
import { type Column, Table } from '../design/tables/Table';
import { AttemptAnswer } from '../design/values/AttemptAnswer';
import { Id, shortId } from '../design/values/Id';
import { JsonView } from '../design/values/JsonView';
import { payloadIn } from '../design/values/json';
import { Time } from '../design/values/Time';
import { EndpointName } from '../endpoints/name';
import { useFormat, useT } from '../i18n';
import { usePermissions } from '../navigation/permissions';
import { Go, usePlaces } from '../navigation/places';
import { useParam, useUrl } from '../navigation/url';
import { LetterReason } from './DeadLetterList';

function useLetter(appId: string | undefined, id: string) {
  return useQuery({
    queryKey: ['dead-letter', appId, id],
    queryFn: async () => {
      const { data } = appId
        ? await client.GET('/api/v1/app/{app_id}/dead-letter/{id}', {
            params: { path: { app_id: appId, id } },
            parseAs: 'text',
          })
        : await client.GET('/api/v1/dead-letter/{id}', { params: { path: { id } }, parseAs: 'text' });
      const text = data as unknown as string;
      return { letter: JSON.parse(text) as DeadLetter, payload: payloadIn(text) };
    },
  });
}

/** In the portal, the application is the tenant's own. */
export function DeadLetterView({ appId }: { appId?: string }) {
  const query = useLetter(appId, useParam('deadLetterId'));
  return (
    <Loaded query={query} skeleton={<Skeleton height={480} />}>
      {({ letter, payload }) => <Content letter={letter} payload={payload} />}
    </Loaded>
  );
}

function Content({ letter, payload }: { letter: DeadLetter; payload: string | null }) {
  const t = useT();
  const [url, setUrl] = useUrl();
  const { may } = usePermissions();
  const places = usePlaces();
  const queries = useQueryClient();
  const path = { app_id: letter.appId, id: letter.id };
  const close = () => setUrl({ panel: undefined });
  const replay = async () => {
    await client.POST('/api/v1/app/{app_id}/dead-letter/{id}/replay', { params: { path } });
    await queries.invalidateQueries();
    toast(t.deadLetters.replayed);
  };
  const discard = async () => {
    await client.POST('/api/v1/app/{app_id}/dead-letter/{id}/discard', { params: { path } });
    await queries.invalidateQueries();
  };
  const application = places.application(letter.appId);
  return (
    <>
      <PageHead
        title={letter.eventType}
        crumbs={
          <>
            <Go to="/dead-letters">{t.deadLetters.title}</Go>
            <span aria-hidden="true">›</span>
            <span aria-current="page" className="mono">
              {shortId(letter.id)}
            </span>
          </>
        }
        actions={
          may('CreateAttempts') && (
            <>
              {letter.state === 'open' && (
                <Button kind="danger" onClick={() => setUrl({ panel: 'discard' })}>
                  {t.deadLetters.discard}
                </Button>
              )}
              {letter.state !== 'replayed' && (
                <Button kind="primary" icon="replay" onClick={() => setUrl({ panel: 'replay' })}>
                  {t.deadLetters.replay}
                </Button>
              )}
            </>
          )
        }
      >
        <Id id={letter.id} whole />
      </PageHead>
      <div className="columns aside">
        <div className="stack">
          <Callout
            state={letter.state === 'open' ? 'dead' : 'cancelled'}
            icon="dead"
            title={t.deadLetters.reasonOf(letter.reason, letter.attemptsMade)}
          >
            {t.deadLetters.explain(letter.reason)}
          </Callout>
          <Card title={t.deadLetters.lastAttempts}>
            <Attempts letter={letter} />
          </Card>
          {payload === null ? (
            <Callout state="cancelled" icon="trash" title={t.message.expunged}>
              {t.message.expungedNote}
            </Callout>
          ) : (
            <JsonView title={t.message.payload} text={payload} />
          )}
        </div>
        <aside className="stack">
          <Card title={t.deadLetters.one} padded>
            <Facts
              rows={[
                [t.underWay.state, <LetterReason key="s" letter={letter} />],
                [t.deadLetters.died, <Time key="d" at={letter.diedAt} as="full" />],
                ...(application
                  ? ([
                      [
                        t.application.application,
                        <Go key="a" to={application} className="link">
                          {letter.appName}
                        </Go>,
                      ],
                    ] as [string, React.ReactNode][])
                  : []),
                [
                  t.endpoint.endpoint,
                  <Go key="e" to={places.endpoint(letter.appId, letter.endpointId)} className="link">
                    <EndpointName url={letter.endpointUrl} />
                  </Go>,
                ],
                [
                  t.message.message,
                  <Go key="m" to={places.message(letter.appId, letter.msgId)} className="link">
                    {shortId(letter.msgId)}
                  </Go>,
                ],
                [
                  t.message.eventId,
                  letter.eventId ? (
                    <Id key="i" id={letter.eventId} whole />
                  ) : (
                    <span key="i" className="dim">
                      {t.none}
                    </span>
                  ),
                ],
                [t.deadLetters.lastAnswer, t.answer(letter.lastStatusCode, letter.lastFailure)],
              ]}
            />
          </Card>
          <AuditCard filter={{ app_id: letter.appId, object_id: letter.id }} />
        </aside>
      </div>
      <Ask
        isOpen={url.panel === 'replay'}
        onClose={close}
        title={t.deadLetters.replayOne}
        act={t.deadLetters.replayNow}
        onAct={replay}
      >
        <p>{t.deadLetters.replayOneText}</p>
      </Ask>
      <Ask
        isOpen={url.panel === 'discard'}
        onClose={close}
        title={t.deadLetters.discardOne}
        act={t.deadLetters.discardNow}
        isDangerous
        onAct={discard}
      >
        <p>{t.deadLetters.discardOneText}</p>
      </Ask>
    </>
  );
}

function Attempts({ letter }: { letter: DeadLetter }) {
  const t = useT();
  const format = useFormat();
  const places = usePlaces();
  const columns: Column<Attempt>[] = [
    {
      id: 'time',
      head: t.attempt.time,
      narrow: 'lead',
      cell: (row) => (
        <Go to={places.message(letter.appId, row.msgId)} search={{ attempt: row.id }} opens>
          <Time at={row.timestamp} as="full" />
        </Go>
      ),
    },
    { id: 'number', head: t.attempt.attempt, isNumber: true, narrow: 'named', cell: (row) => row.attemptNumber },
    {
      id: 'answer',
      head: t.attempt.answer,
      isWide: true,
      narrow: 'line',
      cell: (row) => <AttemptAnswer attempt={row} />,
    },
    {
      id: 'took',
      head: t.attempt.took,
      isNumber: true,
      narrow: 'end',
      cell: (row) => format.duration(row.responseDurationMs),
    },
  ];
  return (
    <Table
      label={t.deadLetters.lastAttempts}
      columns={columns}
      rows={letter.attempts ?? []}
      rowKey={(row) => row.id}
      empty={<Empty title={t.endpoint.noAttempts}>{t.deadLetters.noAttempts}</Empty>}
    />
  );
}
