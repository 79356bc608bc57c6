// Replays and discards that run now.
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
  return running.map((task) => <TaskProgress key={task.id} taskId={task.id} first={task} />);
}
