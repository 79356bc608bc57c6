// Sends again what an endpoint missed since a time: what failed for good, or also what it was never sent.
import { NumberInput, Radio, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useRef, useState } from 'react';
import { client } from '../../api/client';
import type { BackgroundTask, Endpoint, MissingPreview, RecoverPreview } from '../../api/types';
import { toast } from '../../design/feedback/toast';
import { FormPanel, Panel } from '../../design/layout/Dialog';
import { SkeletonText } from '../../design/tables/Table';
import { useT } from '../../i18n';
import { usePlaces } from '../../navigation/places';
import { TaskProgress } from '../../tasks/TaskProgress';
import { endpointName } from '../name';

interface Props {
  appId: string;
  endpoint: Endpoint;
  isOpen: boolean;
  onClose: () => void;
}

const base = '/api/v1/app/{app_id}/endpoint/{endpoint_id}';
const dayMs = 86_400_000;

/** The value of a datetime-local field, in the browser's time zone. */
export function localValue(date: Date): string {
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

export function Recover({ appId, endpoint, isOpen, onClose }: Props) {
  const t = useT();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const { isPortal } = usePlaces();
  const [what, setWhat] = useState<'failed' | 'missing'>('failed');
  const [since, setSince] = useState(() => localValue(new Date(Date.now() - dayMs)));
  const [rate, setRate] = useState<number | string>('');
  // Tenants have no view of a task, so its progress shows here.
  const started = useRef<BackgroundTask>(null);
  const [task, setTask] = useState<BackgroundTask | null>(null);
  const from = Number.isNaN(Date.parse(since)) ? null : new Date(since).toISOString();
  const found = useQuery({
    queryKey: ['recover-preview', what, appId, endpoint.id, from],
    queryFn: async () => {
      const input = {
        params: { path: { app_id: appId, endpoint_id: endpoint.id } },
        body: { since: from ?? '', dryRun: true },
      };
      const { data } =
        what === 'failed'
          ? await client.POST(`${base}/recover`, input)
          : await client.POST(`${base}/replay-missing`, input);
      return data as RecoverPreview | MissingPreview;
    },
    enabled: isOpen && from !== null,
  });
  const submit = async () => {
    const input = {
      params: { path: { app_id: appId, endpoint_id: endpoint.id } },
      body: { since: new Date(since).toISOString(), ratePerSecond: rate === '' ? null : Number(rate) },
    };
    const { data } =
      what === 'failed'
        ? await client.POST(`${base}/recover`, input)
        : await client.POST(`${base}/replay-missing`, input);
    await queries.invalidateQueries();
    const made = data as BackgroundTask | undefined;
    if (!made) return;
    if (isPortal) {
      started.current = made;
      return;
    }
    toast(t.recover.started);
    await navigate({ to: `/tasks/${made.id}` });
  };
  const close = () => {
    if (started.current) setTask(started.current);
    else onClose();
    started.current = null;
  };
  if (task)
    return (
      <Panel
        isOpen={isOpen}
        onClose={() => {
          setTask(null);
          onClose();
        }}
        title={t.recover.title}
        note={endpointName(endpoint.url)}
      >
        <TaskProgress taskId={task.id} first={task} />
      </Panel>
    );
  return (
    <FormPanel
      isOpen={isOpen}
      onClose={close}
      title={t.recover.title}
      note={endpointName(endpoint.url)}
      act={t.recover.act}
      onSubmit={submit}
    >
      <Radio.Group
        label={t.recover.what}
        value={what}
        onChange={(value) => setWhat(value === 'missing' ? 'missing' : 'failed')}
      >
        <div className="stack tight">
          <Radio value="failed" label={t.recover.failed} description={t.recover.failedNote} data-autofocus />
          <Radio value="missing" label={t.recover.missing} description={t.recover.missingNote} />
        </div>
      </Radio.Group>
      <TextInput
        type="datetime-local"
        label={t.recover.since}
        value={since}
        onChange={(event) => setSince(event.target.value)}
        required
      />
      {found.isFetching && !found.data && <SkeletonText place={2} />}
      {found.data && (
        <p className="small dim">
          {'messages' in found.data ? t.recover.missed(found.data.messages) : t.recover.wouldGo(found.data)}
        </p>
      )}
      <NumberInput
        label={t.recover.rate}
        description={t.recover.rateNote}
        value={rate}
        onChange={setRate}
        min={1}
        max={100_000}
        allowDecimal={false}
        hideControls
      />
    </FormPanel>
  );
}
