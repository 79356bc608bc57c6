// A background task with its progress. What runs can be stopped; what has ended says what came of it.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { api, client } from '../api/client';
import type { BackgroundTask } from '../api/types';
import '../dead-letters/dead-letters.css';
import { Button } from '../design/controls/Button';
import { Icon } from '../design/values/Icon';
import { useFormat, useT } from '../i18n';
import { Go, usePlaces } from '../navigation/places';

const refetchMs = 1_000;

export function useTask(taskId: string, first?: BackgroundTask) {
  return api.useQuery(
    'get',
    '/api/v1/background-task/{task_id}',
    { params: { path: { task_id: taskId } } },
    {
      initialData: first,
      initialDataUpdatedAt: 0,
      refetchInterval: (query) => (query.state.data?.status === 'running' ? refetchMs : false),
    },
  );
}

export function useCancel() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (taskId: string) =>
      client.POST('/api/v1/background-task/{task_id}/cancel', { params: { path: { task_id: taskId } } }),
    onSuccess: () => queries.invalidateQueries(),
  });
}

interface Props {
  taskId: string;
  first: BackgroundTask;
  onEnd?: () => void;
}

export function TaskProgress({ taskId, first, onEnd }: Props) {
  const t = useT();
  const format = useFormat();
  const places = usePlaces();
  const task = useTask(taskId, first).data ?? first;
  const cancel = useCancel();
  const queries = useQueryClient();
  const isRunning = task.status === 'running';
  // What the task changed shows in what is open.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when it ends.
  useEffect(() => {
    if (isRunning) return;
    void queries.invalidateQueries();
    onEnd?.();
  }, [isRunning]);
  const state = isRunning
    ? 'in_flight'
    : task.status === 'finished'
      ? 'delivered'
      : task.canceled
        ? 'cancelled'
        : 'dead';
  const title = t.task.title(task.kind, task.status, task.canceled);
  return (
    <div className="card task-progress">
      <span className={state}>
        <Icon
          name={
            isRunning ? 'replay' : state === 'delivered' ? 'delivered' : state === 'cancelled' ? 'cancelled' : 'warning'
          }
        />
      </span>
      <div>
        {places.isPortal ? (
          <span className="medium">{title}</span>
        ) : (
          <Go to={`/tasks/${task.id}`} className="title medium">
            {title}
          </Go>
        )}
        <div className="caption">{t.task.progress(task, format)}</div>
      </div>
      <ProgressBar task={task} />
      {isRunning && (
        <Button small icon="stop" isBusy={cancel.isPending} onClick={() => cancel.mutate(task.id)}>
          {t.task.stop}
        </Button>
      )}
    </div>
  );
}

export function ProgressBar({ task }: { task: BackgroundTask }) {
  const t = useT();
  const { done, total, failedAgain } = task.progress;
  const failed = Math.min(failedAgain ?? 0, done);
  const part = (count: number) => `${total > 0 ? (100 * count) / total : 0}%`;
  // There was nothing to do, and that is done.
  const isNothing = total === 0 && task.status === 'finished';
  return (
    <div
      className="progress"
      role="progressbar"
      aria-label={t.task.progressLabel}
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={done}
    >
      <i style={{ width: isNothing ? '100%' : part(done - failed), background: 'var(--delivered-bar)' }} />
      <i style={{ width: part(failed), background: 'var(--dead-bar)' }} />
    </div>
  );
}
