// One background task: what it does, how far it has come, what came of it.

import { AuditCard } from '../audit-log/AuditCard';
import { Loaded } from '../design/feedback/Loaded';
import { Callout } from '../design/feedback/Notice';
import { Card, Facts, PageHead } from '../design/layout/Card';
import { Id, shortId } from '../design/values/Id';
import { StateWord } from '../design/values/State';
import { Time } from '../design/values/Time';
import { useFormat, useT } from '../i18n';
import { Go } from '../navigation/places';
import { useParam } from '../navigation/url';
import { AskedObject } from './AskedObject';
import { conditionsOf, idNames } from './asked';
import { TaskProgress, useTask } from './TaskProgress';
import { taskState } from './TasksView';

export function TaskView() {
  const t = useT();
  const format = useFormat();
  const query = useTask(useParam('taskId'));
  return (
    <Loaded query={query}>
      {(task) => (
        <>
          <PageHead
            title={t.task.kinds(task.kind)}
            crumbs={
              <>
                <Go to="/tasks">{t.shell.tasks}</Go>
                <span aria-hidden="true">›</span>
                <span aria-current="page" className="mono">
                  {shortId(task.id)}
                </span>
              </>
            }
          >
            <Id id={task.id} whole />
          </PageHead>
          <TaskProgress taskId={task.id} first={task} />
          {task.data.error && (
            <Callout state="dead" title={t.task.failed}>
              {t.task.error(task.data.error)}
            </Callout>
          )}
          <div className="columns aside">
            <Asked filter={task.data.filter} />
            <aside className="stack">
              <Card title={t.task.task} padded>
                <Facts
                  rows={[
                    [
                      t.underWay.state,
                      <StateWord key="s" state={taskState(task)} word={t.task.status(task.status, task.canceled)} />,
                    ],
                    ...(task.progress.delivered !== null && task.progress.failedAgain !== null
                      ? ([
                          [t.task.delivered, format.number(task.progress.delivered)],
                          [t.task.failedAgain, format.number(task.progress.failedAgain)],
                        ] as [string, string][])
                      : []),
                    [
                      t.task.rate,
                      task.data.ratePerSecond
                        ? t.policies.perSecond(format.number(task.data.ratePerSecond))
                        : t.unlimited,
                    ],
                    [t.audit.who, task.createdBy ?? '–'],
                    ...(task.note ? ([[t.deadLetters.note, task.note]] as [string, string][]) : []),
                    [t.created, <Time key="c" at={task.createdAt} as="full" />],
                    [t.updated, <Time key="u" at={task.updatedAt} as="full" />],
                  ]}
                />
              </Card>
              <AuditCard filter={{ object_id: task.id }} />
            </aside>
          </div>
        </>
      )}
    </Loaded>
  );
}

function Asked({ filter }: { filter: unknown }) {
  const t = useT();
  const format = useFormat();
  const conditions = conditionsOf(filter, t, format);
  const appId = conditions.find(([name]) => name === 'appId')?.[2];
  return (
    <Card title={t.task.asked} padded className="task-asked">
      {conditions.length === 0 ? (
        <p className="dim">{t.task.everything}</p>
      ) : (
        <Facts
          rows={conditions.map(([name, label, value]) => [
            label,
            idNames.includes(name) ? <AskedObject key={name} name={name} id={value} appId={appId} /> : value || t.yes,
          ])}
        />
      )}
    </Card>
  );
}
