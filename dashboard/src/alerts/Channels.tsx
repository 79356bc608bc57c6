// The channels: over what people are told, of how severe alerts, and whether the last one got through. Each can be tried out.
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { client } from '../api/client';
import { errorText } from '../api/error-text';
import type { AlertChannel } from '../api/types';
import { Button } from '../design/controls/Button';
import { More } from '../design/controls/More';
import { Empty, Failure } from '../design/feedback/Notice';
import { toast } from '../design/feedback/toast';
import { Card, Section } from '../design/layout/Card';
import { type Column, Table } from '../design/tables/Table';
import { StateWord } from '../design/values/State';
import { Time } from '../design/values/Time';
import { useT } from '../i18n';
import { Go } from '../navigation/places';
import { useUrl } from '../navigation/url';
import './alerts.css';
import { useAlertChannels } from './queries';

/** How often it is asked what became of a test. */
const testMs = 1_000;

/** A channel as it was when a test was asked for. */
type Tested = Pick<AlertChannel, 'id' | 'name' | 'lastSentAt' | 'lastFailedAt'>;

interface Props {
  query: ReturnType<typeof useAlertChannels>;
  onAdd: () => void;
}

export function Channels({ query, onAdd }: Props) {
  const t = useT();
  const [, setUrl] = useUrl();
  const { testing, test } = useTest();
  const isEmpty = query.data?.data.length === 0;
  const columns: Column<AlertChannel>[] = [
    {
      id: 'name',
      head: t.alerts.channel,
      isWide: true,
      narrow: 'lead',
      cell: (row) => (
        <Go to="/alerts" search={{ panel: 'channel', id: row.id }} opens>
          {row.name}
        </Go>
      ),
    },
    { id: 'kind', head: t.alerts.over, narrow: 'line', cell: (row) => t.alerts.shortKinds[row.kind] },
    {
      id: 'takes',
      head: t.alerts.takes,
      narrow: 'named',
      cell: (row) => <span className="dim">{t.alerts.takesFrom[row.minSeverity]}</span>,
    },
    { id: 'state', head: t.alerts.lastSent, narrow: 'line', cell: (row) => <ChannelState channel={row} /> },
    {
      id: 'act',
      head: <span className="visually-hidden">{t.more}</span>,
      isNumber: true,
      narrow: 'end',
      cell: (row) => (
        <span className="row">
          <Button small isBusy={testing?.id === row.id} onClick={() => test(row)}>
            {t.alerts.test}
          </Button>
          <More
            small
            items={[
              { label: t.edit, icon: 'edit', onSelect: () => setUrl({ panel: 'channel', id: row.id }) },
              {
                label: t.delete,
                icon: 'trash',
                isDangerous: true,
                onSelect: () => setUrl({ panel: 'delete-channel', id: row.id }),
              },
            ]}
          />
        </span>
      ),
    },
  ];
  return (
    <Section
      title={t.alerts.channels}
      note={t.alerts.channelsNote}
      end={
        isEmpty ? undefined : (
          <Button small icon="plus" onClick={onAdd}>
            {t.alerts.createChannel}
          </Button>
        )
      }
    >
      <Card label={t.alerts.channels}>
        {query.error && !query.data ? (
          <Failure error={query.error} onRetry={query.refetch} />
        ) : (
          <Table
            label={t.alerts.channels}
            columns={columns}
            rows={query.data?.data}
            rowKey={(row) => row.id}
            expected={1}
            empty={
              <Empty
                icon="operational"
                title={t.alerts.noChannels}
                action={<Button onClick={onAdd}>{t.alerts.createChannel}</Button>}
              >
                {t.alerts.noChannelsNote}
              </Empty>
            }
          />
        )}
      </Card>
    </Section>
  );
}

/** Sends a test and says what became of it, which the channel shows within seconds. */
function useTest() {
  const t = useT();
  const queries = useQueryClient();
  const [testing, setTesting] = useState<Tested | null>(null);
  const { data } = useAlertChannels(testing ? testMs : undefined);
  const now = data?.data.find((channel) => channel.id === testing?.id);
  const isSent = testing !== null && now !== undefined && now.lastSentAt !== testing.lastSentAt;
  const isFailed = testing !== null && now !== undefined && now.lastFailedAt !== testing.lastFailedAt;
  useEffect(() => {
    if (!testing || !(isSent || isFailed)) return;
    toast(isSent ? t.alerts.tested(testing.name) : t.alerts.testFailed(testing.name), !isSent);
    setTesting(null);
  }, [testing, isSent, isFailed, t]);
  const test = async (channel: AlertChannel) => {
    try {
      const params = { path: { alert_channel_id: channel.id } };
      await client.POST('/api/v1/alert-channel/{alert_channel_id}/test', { params });
      setTesting(channel);
    } catch (error) {
      toast(errorText(error, t.failure), true);
    }
    await queries.invalidateQueries();
  };
  return { testing, test };
}

function ChannelState({ channel }: { channel: AlertChannel }) {
  const t = useT();
  if (channel.lastProblem !== null && channel.lastFailedAt !== null)
    return (
      <span className="channel-failed">
        <span>
          <StateWord state="dead" word={t.alerts.failed} />{' '}
          <span className="faint">
            <Time at={channel.lastFailedAt} />
          </span>
        </span>
        <span className="small dim">{t.alerts.problem(channel.lastProblem)}</span>
      </span>
    );
  if (channel.lastSentAt === null) return <span className="faint">{t.alerts.nothingSent}</span>;
  return (
    <span>
      <StateWord state="delivered" word={t.alerts.sent} />{' '}
      <span className="faint">
        <Time at={channel.lastSentAt} />
      </span>
    </span>
  );
}
