// Alert rules and the channels over which people are told.
import type { AlertCondition, ChannelProblem } from '../../api/types';
import type { Format } from '../format';
import { answer } from './answers';
import { capital, num } from './words';

/** Complete in themselves: what else is known would say it again. */
const problems: Partial<Record<ChannelProblem['code'], string>> = {
  target_sealed: 'The address does not open with this server’s main secret. Enter it again.',
  no_mail_server: 'No mail server is set. Those who run Postrider set smtp_url and smtp_from.',
  no_operational_endpoint: 'There is no operational webhook yet. Add one first.',
};

/** Of these the rest is told by the detail. */
const failures: Partial<Record<ChannelProblem['code'], string>> = {
  mail_not_taken: 'The mail server did not take it',
  not_posted: 'It could not be posted to operational webhooks',
  unknown: '',
};

function sentence(condition: AlertCondition, { duration }: Format): string {
  const time = duration(condition.minutes * 60_000);
  switch (condition.kind) {
    case 'dead_letters':
      return condition.count === 1
        ? `a delivery became a dead letter within ${time}`
        : `${num(condition.count)} or more deliveries became dead letters within ${time}`;
    case 'failure_share':
      return `more than ${condition.percent} % of the attempts failed within ${time}, of ${num(condition.attempts)} or more`;
    case 'queue_age':
      return `a delivery has been due for ${time}, and its endpoint is neither paused nor disabled`;
    case 'endpoint_disabled':
      return `an endpoint was disabled within ${time} for what it answered, and still is`;
    case 'incident_open':
      return `an incident has been open for ${time}, and nobody has acknowledged it`;
    case 'nothing_accepted':
      return `no message was accepted for ${time}`;
  }
}

export const alerts = {
  alerts: {
    title: 'Alerts',
    note: 'Rules watch this environment, and tell you over the channels below.',
    rules: 'Rules',
    rulesNote: 'one alert when a condition begins to be met, one message when it is over',
    rule: 'Rule',
    createRule: 'New rule',
    editRule: 'Edit the rule',
    firesWhen: 'Fires when',
    severity: 'Severity',
    severities: { info: 'Info', warning: 'Warning', critical: 'Critical' },
    lastAlert: 'Last alert',
    never: 'never',
    firingFor: (span: string) => `Firing for ${span}`,
    quiet: 'Quiet',
    off: 'Off',
    turnOn: 'Turn on',
    turnOff: 'Turn off',
    nameNote: 'Alerts carry it as their title.',
    /** Those that are there from the start have English names. */
    ruleName: (name: string): string => name,
    condition: (condition: AlertCondition, format: Format) => capital(sentence(condition, format)),
    conditionKinds: {
      dead_letters: 'Deliveries become dead letters',
      failure_share: 'Many attempts fail',
      queue_age: 'Deliveries are overdue',
      endpoint_disabled: 'An endpoint is disabled for what it answers',
      incident_open: 'An incident stays unacknowledged',
      nothing_accepted: 'No message is accepted',
    },
    fields: {
      count: 'Dead letters, or more',
      percent: 'More than, in %',
      attempts: 'Of attempts, at least',
      minutes: 'Time, in minutes',
    },
    recover: 'Over after, in minutes',
    recoverNote: 'When the condition was not met for so long, it is over, and you are told.',
    suppress: 'Not again within, in minutes',
    suppressNote: 'After an alert, this rule sends no other for so long. 0: as soon as it fires again.',
    isOn: 'The rule is on',
    beginsAnew: 'Saving begins the rule anew: what fires now fires again if it is still so.',
    deleteTitle: (name: string) => `Delete ${name}`,
    deleteRuleText: 'Nobody is told of this any more. This cannot be undone.',
    deleteChannelText: 'Nothing more is sent over it, nor what was still to be sent. This cannot be undone.',
    noRules: 'No alert rules',
    noRulesNote:
      'A rule tells you of dead letters, failing attempts, overdue deliveries, or silence from your own side.',
    unheard: 'Nobody is told',
    unheardNote: 'The rules are watching, but there is no channel to send their alerts over.',
    channels: 'Channels',
    channelsNote: 'each alert goes over all that take its severity',
    channel: 'Channel',
    createChannel: 'Add a channel',
    editChannel: 'Edit the channel',
    channelNameNote: 'Who is told by it, such as “On call”.',
    over: 'Over',
    channelKinds: {
      operational: 'Operational webhooks',
      slack: 'Slack, or a chat that takes its format',
      teams: 'Microsoft Teams',
      email: 'E-mail',
    },
    shortKinds: { operational: 'Operational webhooks', slack: 'Slack', teams: 'Teams', email: 'E-mail' },
    takes: 'Takes',
    takesFrom: { info: 'Every severity', warning: 'Warning and critical', critical: 'Critical only' },
    lastSent: 'Last sent',
    nothingSent: 'nothing yet',
    sent: 'Sent',
    failed: 'Failed',
    problem: (problem: ChannelProblem): string => {
      const { code, statusCode, detail } = problem;
      return problems[code] ?? [failures[code] ?? answer(statusCode, code), detail].filter(Boolean).join(': ');
    },
    test: 'Send a test',
    tested: (name: string) => `The test was sent over ${name}.`,
    testFailed: (name: string) => `The test could not be sent over ${name}.`,
    target: { slack: 'Incoming webhook', teams: 'Workflow webhook', email: 'Addresses' },
    targetNote: {
      slack: 'Its URL, as Slack gives it. It is kept sealed and never shown.',
      teams: 'The URL of the workflow “When a webhook request is received”. It is kept sealed and never shown.',
      email: 'Separated by commas. They are kept sealed and never shown.',
    },
    targetKept: 'Stays as it is when left empty. It is never shown.',
    operationalNote: 'Sent as alert.fired and alert.recovered, signed and retried like all others, to the',
    noChannels: 'No channels yet',
    noChannelsNote: 'A chat, e-mail or your own systems by webhook. Each can be tried out with a test.',
  },
};
