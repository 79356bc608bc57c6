// Adds a channel, or changes one. Where it leads is a secret: it is never shown, and stays when nothing is written.
import { NativeSelect, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { client } from '../api/client';
import type { AlertChannel, ChannelKind, Severity } from '../api/types';
import { FormPanel } from '../design/layout/Dialog';
import { useT } from '../i18n';
import { Go } from '../navigation/places';
import { severities } from './RuleForm';

const kinds: ChannelKind[] = ['operational', 'slack', 'teams', 'email'];

interface Props {
  isOpen: boolean;
  onClose: () => void;
  channel?: AlertChannel;
}

export function ChannelForm({ isOpen, onClose, channel }: Props) {
  const t = useT();
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [kind, setKind] = useState<ChannelKind>('slack');
  const [target, setTarget] = useState('');
  const [minSeverity, setMinSeverity] = useState<Severity>('info');
  // biome-ignore lint/correctness/useExhaustiveDependencies: the fields begin anew each time it opens.
  useEffect(() => {
    if (!isOpen) return;
    setName(channel?.name ?? '');
    setKind(channel?.kind ?? 'slack');
    setTarget('');
    setMinSeverity(channel?.minSeverity ?? 'info');
  }, [isOpen, channel?.id]);

  const isKept = channel?.kind === kind;
  const submit = async () => {
    const body = {
      name: name.trim(),
      kind,
      minSeverity,
      target: kind === 'operational' ? null : target.trim() || null,
    };
    if (channel)
      await client.PUT('/api/v1/alert-channel/{alert_channel_id}', {
        params: { path: { alert_channel_id: channel.id } },
        body,
      });
    else await client.POST('/api/v1/alert-channel', { body });
    await queries.invalidateQueries();
  };
  return (
    <FormPanel
      isOpen={isOpen}
      onClose={onClose}
      title={channel ? t.alerts.editChannel : t.alerts.createChannel}
      act={channel ? t.save : t.create}
      onSubmit={submit}
    >
      <TextInput
        label={t.name}
        description={t.alerts.channelNameNote}
        value={name}
        onChange={(event) => setName(event.target.value)}
        maxLength={256}
        required
        data-autofocus
      />
      <NativeSelect
        label={t.alerts.over}
        value={kind}
        onChange={(event) => setKind(kinds.find((each) => each === event.target.value) ?? 'slack')}
        data={kinds.map((value) => ({ value, label: t.alerts.channelKinds[value] }))}
      />
      {kind === 'operational' ? (
        <p className="small dim">
          {t.alerts.operationalNote}{' '}
          <Go to="/operational-webhooks" className="link">
            {t.shell.operationalWebhooks}
          </Go>
        </p>
      ) : (
        <TextInput
          label={t.alerts.target[kind]}
          description={isKept ? t.alerts.targetKept : t.alerts.targetNote[kind]}
          type={kind === 'email' ? 'text' : 'url'}
          value={target}
          onChange={(event) => setTarget(event.target.value)}
          placeholder={kind === 'email' ? 'oncall@example.com' : 'https://…'}
          required={!isKept}
          autoComplete="off"
          spellCheck={false}
        />
      )}
      <NativeSelect
        label={t.alerts.takes}
        value={minSeverity}
        onChange={(event) => setMinSeverity(severities.find((each) => each === event.target.value) ?? 'info')}
        data={severities.map((value) => ({ value, label: t.alerts.takesFrom[value] }))}
      />
    </FormPanel>
  );
}
