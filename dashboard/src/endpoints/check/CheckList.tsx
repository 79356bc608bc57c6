// What came of the four checks, each with the request and the response.
import { useState } from 'react';
import type { Schemas } from '../../api/types';
import { Segmented } from '../../design/controls/Segmented';
import { Exchange } from '../../design/values/Exchange';
import { Icon } from '../../design/values/Icon';
import { useFormat, useT } from '../../i18n';
import './check.css';

export type Check = Schemas['CheckResultOut'];
const colours = { passed: 'delivered', failed: 'dead', open: 'faint' };
const kinds: Check['kind'][] = ['reached', 'genuine', 'forged', 'old'];

export function passedChecks(checks: Check[] | undefined): number {
  return checks?.filter((check) => check.passed).length ?? 0;
}

export function CheckList({ checks, isRunning }: { checks: Check[] | undefined; isRunning: boolean }) {
  const t = useT();
  return (
    <ol className="checks" aria-live="polite" aria-busy={isRunning}>
      {kinds.map((kind) => (
        <CheckRow key={kind} kind={kind} check={isRunning ? undefined : checks?.find((each) => each.kind === kind)} />
      ))}
      {isRunning && <li className="visually-hidden">{t.check.running}</li>}
    </ol>
  );
}

function CheckRow({ kind, check }: { kind: Check['kind']; check: Check | undefined }) {
  const t = useT();
  const format = useFormat();
  const outcome = check?.passed === true ? 'passed' : check?.passed === false ? 'failed' : 'open';
  return (
    <li className={`check ${outcome}`}>
      <span className={colours[outcome]}>
        <Icon name={({ passed: 'delivered', failed: 'dead', open: 'waiting' } as const)[outcome]} />
      </span>
      <div className="grow">
        <div className="row wrap">
          <span className="medium grow">{t.check.titles[kind]}</span>
          {check && <span className={`small medium ${colours[outcome]}`}>{t.check.result(check, format)}</span>}
        </div>
        <p className="small dim">{check ? t.check.explain(check, format) : t.check.expects[kind]}</p>
      </div>
    </li>
  );
}

export function CheckExchanges({ checks }: { checks: Check[] }) {
  const t = useT();
  const tried = checks.filter((check) => check.exchange);
  const [kind, setKind] = useState<Check['kind']>(() => tried.find((check) => !check.passed)?.kind ?? 'genuine');
  const shown = tried.find((check) => check.kind === kind) ?? tried[0];
  if (!shown?.exchange) return null;
  const { exchange } = shown;
  return (
    <div className="stack tight">
      <div className="row wrap">
        <h3 className="grow">{t.check.sentAndAnswered}</h3>
        <Segmented
          label={t.check.sentAndAnswered}
          value={shown.kind}
          onChange={setKind}
          options={tried.map((check) => ({ value: check.kind, label: t.check.kinds[check.kind] }))}
        />
      </div>
      <Exchange
        request={exchange.request}
        requestBody={exchange.request.body}
        status={exchange.responseStatusCode}
        statusText={t.answer(exchange.responseStatusCode, shown.failure)}
        responseHeaders={exchange.responseHeaders}
        responseBody={exchange.responseBody}
        durationMs={shown.durationMs}
      />
    </div>
  );
}
