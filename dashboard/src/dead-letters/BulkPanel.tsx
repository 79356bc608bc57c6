// Replay or discard of many: first what would go and whether the endpoint answers, then the rate, then progress.

import { Slider, Switch, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { BackgroundTask } from '../api/types';
import { Button } from '../design/controls/Button';
import { Skeleton } from '../design/feedback/Loaded';
import { Failure } from '../design/feedback/Notice';
import { Panel, useAct } from '../design/layout/Dialog';
import { useFormat, useT } from '../i18n';
import { TaskProgress } from '../tasks/TaskProgress';
import { type Act, keyedRate, type Preview, preview, rateLimitOf, run, type Target } from './bulk';
import { Condition } from './Condition';

interface Props {
  act: Act;
  appId?: string;
  isOpen: boolean;
  targets: Target[];
  onClose: () => void;
  onDone: () => void;
}

const usualRate = 20;
const fastest = 1000;

export function BulkPanel({ act, appId, isOpen, targets, onClose, onDone }: Props) {
  const t = useT();
  const queries = useQueryClient();
  const [tasks, setTasks] = useState<BackgroundTask[]>([]);
  const [endedCount, setEndedCount] = useState(0);
  const [startedFor, setStartedFor] = useState('');
  const [rate, setRate] = useState(usualRate);
  const [isOldestFirst, setOldestFirst] = useState(false);
  const [note, setNote] = useState('');
  const { isBusy, error, run: start } = useAct(() => {}, isOpen);
  const found = useQuery({
    queryKey: ['dead-letter-preview', act, appId, targets],
    queryFn: () => preview(act, appId, targets),
    enabled: isOpen && tasks.length === 0,
    placeholderData: undefined,
  });
  const limit = found.data && rateLimitOf(found.data);
  const most = Math.min(limit ?? fastest, fastest);

  useEffect(() => {
    if (isOpen) return;
    setTasks([]);
    setEndedCount(0);
    setNote('');
    setOldestFirst(false);
  }, [isOpen]);

  const about = targets.map((target) => target.label).join(', ');
  const begin = () =>
    start(async () => {
      setStartedFor(about);
      const how =
        act === 'replay'
          ? { ratePerSecond: Math.min(rate, most), oldestFirst: isOldestFirst, note: note || null }
          : { note: note || null };
      setTasks(await run(act, appId, targets, how));
      onDone();
      await queries.invalidateQueries();
    });
  const count = found.data?.count ?? 0;
  const title =
    tasks.length > 0
      ? t.deadLetters.panelRunning(act)
      : found.data
        ? t.deadLetters.panelTitle(act, found.data)
        : t.deadLetters.panelCounting;
  return (
    <Panel
      isOpen={isOpen}
      onClose={onClose}
      title={title}
      note={tasks.length > 0 ? startedFor : about}
      footer={
        tasks.length > 0 ? (
          <>
            <span className="caption grow">{endedCount < tasks.length && t.deadLetters.goesOn}</span>
            <Button onClick={onClose}>{t.close}</Button>
          </>
        ) : (
          <>
            <span className="grow" />
            <Button onClick={onClose}>{t.cancel}</Button>
            <Button
              kind={act === 'replay' ? 'primary' : 'danger'}
              isBusy={isBusy}
              disabled={count === 0}
              onClick={begin}
            >
              {t.deadLetters.panelAct(act, { count, isCapped: found.data?.isCapped })}
            </Button>
          </>
        )
      }
    >
      {tasks.map((task) => (
        <TaskProgress key={task.id} taskId={task.id} first={task} onEnd={() => setEndedCount((now) => now + 1)} />
      ))}
      {tasks.length === 0 && found.error && <Failure error={found.error} onRetry={() => found.refetch()} />}
      {tasks.length === 0 && !found.data && !found.error && <Skeleton height={240} />}
      {tasks.length === 0 && found.data && (
        <>
          {act === 'replay' &&
            found.data.endpoints.map((endpoint) => <Condition key={endpoint.endpointId} endpoint={endpoint} />)}
          <PreviewFigures found={found.data} act={act} rate={Math.min(rate, most)} />
          <WhatGoes found={found.data} />
          {act === 'replay' && (
            <>
              <Rate value={Math.min(rate, most)} most={most} isLimit={limit !== null} onChange={setRate} />
              <Switch
                label={t.deadLetters.oldestFirst}
                description={t.deadLetters.oldestFirstNote}
                checked={isOldestFirst}
                onChange={(event) => setOldestFirst(event.target.checked)}
              />
            </>
          )}
          <TextInput
            label={act === 'replay' ? t.deadLetters.note : t.deadLetters.discardNote}
            value={note}
            onChange={(event) => setNote(event.target.value)}
            maxLength={500}
          />
          {error !== null && <Failure error={error} />}
        </>
      )}
    </Panel>
  );
}

function PreviewFigures({ found, act, rate }: { found: Preview; act: Act; rate: number }) {
  const t = useT();
  const format = useFormat();
  const skipped = found.skipped.reduce((sum, each) => sum + each.count, 0);
  return (
    <dl className="preview-figures">
      <div>
        <dt>{t.deadLetters.willGo(act)}</dt>
        <dd>{t.num(found)}</dd>
      </div>
      <div>
        <dt>{t.deadLetters.skipped}</dt>
        <dd>{t.num(skipped)}</dd>
        {found.skipped.map((each) => (
          <span key={each.reason} className="caption">
            {t.deadLetters.skippedWhy(each.reason, each.count)}
          </span>
        ))}
      </div>
      {act === 'replay' && (
        <div>
          <dt>{t.deadLetters.takes}</dt>
          <dd>{format.duration((found.count / rate) * 1000)}</dd>
        </div>
      )}
    </dl>
  );
}

function WhatGoes({ found }: { found: Preview }) {
  const t = useT();
  const format = useFormat();
  if (found.eventTypes.length === 0) return null;
  const most = Math.max(1, ...found.eventTypes.map((each) => each.count));
  return (
    <section className="what-goes">
      <h3>{t.deadLetters.whatGoes}</h3>
      {found.count > found.lookedAt && <p className="caption">{t.deadLetters.ofTheFirst(found.lookedAt)}</p>}
      <ul>
        {found.eventTypes.map((each) => (
          <li key={each.name}>
            <span className="cut">{each.name}</span>
            <span className="answer-bar">
              <i style={{ width: `${(100 * each.count) / most}%`, background: 'var(--cancelled-bar)' }} />
            </span>
            <span className="num">{format.number(each.count)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Rate({
  value,
  most,
  isLimit,
  onChange,
}: {
  value: number;
  most: number;
  isLimit: boolean;
  onChange: (rate: number) => void;
}) {
  const t = useT();
  const format = useFormat();
  const marks = [1, 5, 20, 100, most].filter(
    (mark, place, all) => mark <= most && all.indexOf(mark) === place && (mark === most || mark < most / 1.8),
  );
  return (
    // Steps of the slider itself are of a power of ten: too small to reach the next whole rate.
    <fieldset
      className="rate plain-fieldset"
      onKeyDownCapture={(event) => {
        const next = keyedRate(event.key, value, most);
        if (next === null) return;
        event.preventDefault();
        event.stopPropagation();
        onChange(next);
      }}
    >
      <div className="row">
        <h3 id="rate-label">{t.deadLetters.rate}</h3>
        <span className="caption grow">{isLimit ? t.deadLetters.upToLimit(format.number(most)) : ''}</span>
        <span className="small">
          <b>{format.number(value)}</b> {t.deadLetters.aSecond}
        </span>
      </div>
      <Slider
        aria-labelledby="rate-label"
        value={Math.log10(value)}
        onChange={(power) => onChange(Math.max(1, Math.round(10 ** power)))}
        min={0}
        max={Math.max(0.01, Math.log10(most))}
        step={0.01}
        scale={(power) => Math.round(10 ** power)}
        label={null}
        marks={marks.map((mark) => ({ value: Math.log10(mark), label: format.number(mark) }))}
        thumbLabel={t.deadLetters.rate}
        size={4}
        thumbSize={16}
      />
    </fieldset>
  );
}
