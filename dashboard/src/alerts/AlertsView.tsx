// Alerts: the rules that watch an environment, with their state, and the channels over which people are told.

import { useQueryClient } from '@tanstack/react-query';
import { client } from '../api/client';
import { Button } from '../design/controls/Button';
import { Callout } from '../design/feedback/Notice';
import { PageHead } from '../design/layout/Card';
import { Ask } from '../design/layout/Dialog';
import { useT } from '../i18n';
import { useUrl } from '../navigation/url';
import { ChannelForm } from './ChannelForm';
import { Channels } from './Channels';
import { useAlertChannels, useAlertRules } from './queries';
import { RuleForm } from './RuleForm';
import { Rules } from './Rules';

export function AlertsView() {
  const t = useT();
  const [url, setUrl] = useUrl();
  const queries = useQueryClient();
  const rules = useAlertRules();
  const channels = useAlertChannels();
  const close = () => setUrl({ panel: undefined, id: undefined });
  const rule = rules.data?.data.find((each) => each.id === url.id);
  const channel = channels.data?.data.find((each) => each.id === url.id);
  const addChannel = () => setUrl({ panel: 'new-channel', id: undefined });
  const remove = async () => {
    if (url.panel === 'delete-rule')
      await client.DELETE('/api/v1/alert-rule/{alert_rule_id}', { params: { path: { alert_rule_id: url.id ?? '' } } });
    else
      await client.DELETE('/api/v1/alert-channel/{alert_channel_id}', {
        params: { path: { alert_channel_id: url.id ?? '' } },
      });
    await queries.invalidateQueries();
  };
  const isUnheard = channels.data?.data.length === 0 && rules.data !== undefined && rules.data.data.length > 0;
  return (
    <>
      <PageHead
        title={t.alerts.title}
        actions={
          <Button kind="primary" icon="plus" onClick={() => setUrl({ panel: 'new-rule', id: undefined })}>
            {t.alerts.createRule}
          </Button>
        }
      >
        <p>{t.alerts.note}</p>
      </PageHead>
      {isUnheard && (
        <Callout state="waiting" icon="operational" title={t.alerts.unheard}>
          {t.alerts.unheardNote}
        </Callout>
      )}
      <Rules query={rules} />
      <Channels query={channels} onAdd={addChannel} />
      <RuleForm isOpen={url.panel === 'new-rule'} onClose={close} />
      <RuleForm isOpen={url.panel === 'rule' && rule !== undefined} onClose={close} rule={rule} />
      <ChannelForm isOpen={url.panel === 'new-channel'} onClose={close} />
      <ChannelForm isOpen={url.panel === 'channel' && channel !== undefined} onClose={close} channel={channel} />
      <Ask
        isOpen={url.panel === 'delete-rule' || url.panel === 'delete-channel'}
        onClose={close}
        title={t.alerts.deleteTitle(rule ? t.alerts.ruleName(rule.name) : (channel?.name ?? ''))}
        act={t.deleteNow}
        isDangerous
        onAct={remove}
      >
        <p>{url.panel === 'delete-rule' ? t.alerts.deleteRuleText : t.alerts.deleteChannelText}</p>
      </Ask>
    </>
  );
}
