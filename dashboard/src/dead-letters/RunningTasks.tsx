// Replays and discards that run now.
import { useQueryClient } from '@tanstack/react-query';
import { useEffect } from 'react';
import { api } from '../api/client';
import { TaskProgress } from '../tasks/TaskProgress';

const kinds = ['dead_letter.replay', 'dead_letter.discard'];
const refetchMs = 3_000;

export function RunningTasks() {
  const list = api.useQuery(
    'get',
    '/api/v1/background-task',
    { params: { query: { status: 'running', limit: 20, order: 'descending' } } },
    { refetchInterval: refetchMs },
  );
  const running = list.data?.data.filter((task) => kinds.includes(task.kind)) ?? [];
  const queries = useQueryClient();
  // What a task changed shows when it is gone from here.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the number changes when one ends.
  useEffect(() => {
    if (running.length > 0) return () => void queries.invalidateQueries();
  }, [running.length]);
  return running.map((task) => <TaskProgress key={task.id} taskId={task.id} first={task} />);
}
