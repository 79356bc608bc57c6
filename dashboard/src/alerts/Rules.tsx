// The rules: what each watches, whether its condition is met now and since when, and when it last alerted.
import { useQueryClient } from '@tanstack/react-query';
import { client } from '../api/client';
import { errorText } from '../api/error-text';
import type { AlertRule } from '../api/types';
import { More } from '../design/controls/More';
import { Empty, Failure } from '../design/feedback/Notice';
import { toast } from '../design/feedback/toast';
import { Card, Section } from '../design/layout/Card';
import { type Column, Table } from '../design/tables/Table';
import { StateWord, Tag } from '../design/values/State';
import { Time, useNow } from '../design/values/Time';
import { useFormat, useT } from '../i18n';
import { Go } from '../navigation/places';
import { useUrl } from '../navigation/url';
import { isFiring, type useAlertRules } from './queries';

export function Rules({ query }: { query: ReturnType<typeof useAlertRules> }) {
  const t = useT();
  const format = useFormat();
  const [, setUrl] = useUrl();
  const queries = useQueryClient();
  const turn = async (rule: AlertRule) => {
    const { id, name, condition, severity, suppressSeconds, recoverSeconds } = rule;
    try {
      await client.PUT('/api/v1/alert-rule/{alert_rule_id}', {
        params: { path: { alert_rule_id: id } },
        body: { name, condition, severity, suppressSeconds, recoverSeconds, enabled: !rule.enabled },
      });
    } catch (error) {
      toast(errorText(error, t.failure), true);
    }
    await queries.invalidateQueries();
  };
  const columns: Column<AlertRule>[] = [
    {
      id: 'rule',
      head: t.alerts.rule,
      isWide: true,
      narrow: 'lead',
      cell: (row) => (
        <Go to="/alerts" search={{ panel: 'rule', id: row.id }} opens>
          {t.alerts.ruleName(row.name)}
        </Go>
      ),
    },
    {
      id: 'condition',
      head: t.alerts.firesWhen,
      narrow: 'line',
      cell: (row) => <span className="dim">{t.alerts.condition(row.condition, format)}</span>,
    },
    { id: 'state', head: t.underWay.state, narrow: 'line', cell: (row) => <RuleState rule={row} /> },
    {
      id: 'severity',
      head: t.alerts.severity,
      narrow: 'line',
      cell: (row) => <Tag>{t.alerts.severities[row.severity]}</Tag>,
    },
    {
      id: 'alerted',
      head: t.alerts.lastAlert,
      isNumber: true,
      narrow: 'named',
      cell: (row) => (row.alertedAt ? <Time at={row.alertedAt} /> : <span className="faint">{t.alerts.never}</span>),
    },
    {
      id: 'more',
      head: <span className="visually-hidden">{t.more}</span>,
      isNumber: true,
      narrow: 'end',
      cell: (row) => (
        <More
          small
          items={[
            { label: t.edit, icon: 'edit', onSelect: () => setUrl({ panel: 'rule', id: row.id }) },
            {
              label: row.enabled ? t.alerts.turnOff : t.alerts.turnOn,
              icon: row.enabled ? 'held' : 'play',
              onSelect: () => turn(row),
            },
            {
              label: t.delete,
              icon: 'trash',
              isDangerous: true,
              onSelect: () => setUrl({ panel: 'delete-rule', id: row.id }),
            },
          ]}
        />
      ),
    },
  ];
  return (
    <Section title={t.alerts.rules} note={t.alerts.rulesNote}>
      <Card label={t.alerts.rules}>
        {query.error && !query.data ? (
          <Failure error={query.error} onRetry={query.refetch} />
        ) : (
          <Table
            label={t.alerts.rules}
            columns={columns}
            rows={query.data?.data}
            rowKey={(row) => row.id}
            expected={2}
            empty={
              <Empty icon="alert" title={t.alerts.noRules}>
                {t.alerts.noRulesNote}
              </Empty>
            }
          />
        )}
      </Card>
    </Section>
  );
}

function RuleState({ rule }: { rule: AlertRule }) {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  if (!rule.enabled) return <StateWord state="cancelled" word={t.alerts.off} />;
  if (!isFiring(rule) || rule.firingSince === null) return <StateWord state="delivered" word={t.alerts.quiet} />;
  return (
    <StateWord
      state="dead"
      icon="warning"
      word={t.alerts.firingFor(format.duration(now - new Date(rule.firingSince).getTime()))}
    />
  );
}
