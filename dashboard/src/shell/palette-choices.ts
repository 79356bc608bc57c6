// What the palette offers besides what a search finds: places to go and things to do.
import type { IconName } from '../design/values/Icon';
import type { Messages } from '../i18n/en';

export interface Choice {
  group: string;
  icon: IconName;
  label: string;
  note?: string;
  path: string;
  search?: Record<string, string>;
}

export function placesFor(t: Messages, isOperator: boolean, text: string): Choice[] {
  const go = (icon: IconName, label: string, path: string): Choice => ({ group: t.palette.goTo, icon, label, path });
  const act = (icon: IconName, label: string, path: string, search: Record<string, string>): Choice => ({
    group: t.palette.act,
    icon,
    label,
    path,
    search,
    note: t.palette.asksFirst,
  });
  const all = [
    go('overview', t.shell.overview, '/'),
    go('application', t.shell.applications, '/applications'),
    go('message', t.shell.messages, '/messages'),
    go('deadLetter', t.shell.deadLetters, '/dead-letters'),
    go('eventType', t.shell.eventTypes, '/event-types'),
    go('task', t.shell.tasks, '/tasks'),
    ...(isOperator ? [go('node', t.shell.nodes, '/nodes')] : []),
    go('alert', t.shell.alerts, '/alerts'),
    go('operational', t.shell.operationalWebhooks, '/operational-webhooks'),
    go('portal', t.shell.portalLook, '/portal-look'),
    go('key', t.shell.apiKeys, '/api-keys'),
    ...(isOperator ? [go('people', t.shell.people, '/people')] : []),
    go('audit', t.shell.auditLog, '/audit-log'),
    ...(isOperator ? [go('settings', t.shell.settings, '/settings')] : []),
    act('plus', t.applications.create, '/applications', { panel: 'new' }),
    act('replay', t.deadLetters.replayAll, '/dead-letters', { panel: 'replay' }),
    act('alert', t.alerts.createRule, '/alerts', { panel: 'new-rule' }),
    ...(isOperator ? [act('held', t.overview.pauseAll, '/', { panel: 'pause' })] : []),
    { group: t.palette.act, icon: 'help' as const, label: t.shell.help, path: '?' },
  ];
  const wanted = text.trim().toLowerCase();
  return wanted === '' ? all : all.filter((choice) => choice.label.toLowerCase().includes(wanted));
}
