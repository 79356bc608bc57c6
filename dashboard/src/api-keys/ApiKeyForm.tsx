// Makes an API key.
import { NativeSelect, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../api/client';
import type { ApiKey } from '../api/types';
import { FormPanel } from '../design/layout/Dialog';
import { useT } from '../i18n';
import { useShell } from '../shell/Nav';

const dayMs = 86_400_000;
const lifetimes = ['30', '90', '365', ''];
type Role = 'operator' | 'environment' | 'application';

export function ApiKeyForm({
  isOpen,
  onClose,
  onMade,
}: {
  isOpen: boolean;
  onClose: () => void;
  onMade: (key: ApiKey) => void;
}) {
  const t = useT();
  const { session, environment } = useShell();
  const queries = useQueryClient();
  const isOperator = session.role === 'operator';
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('environment');
  const [appId, setAppId] = useState('');
  const [days, setDays] = useState('365');
  const roles: Role[] = isOperator ? ['environment', 'application', 'operator'] : ['environment', 'application'];
  const submit = async () => {
    const body = {
      name: name.trim(),
      role,
      appId: role === 'application' ? appId.trim() : null,
      expiresAt: days === '' ? null : new Date(Date.now() + Number(days) * dayMs).toISOString(),
    };
    const { data } = isOperator
      ? await client.POST('/api/v1/admin/api-key', {
          body: { ...body, environmentId: role === 'operator' ? null : environment },
        })
      : await client.POST('/api/v1/api-key', { body });
    await queries.invalidateQueries();
    setName('');
    if (data) onMade(data);
  };
  return (
    <FormPanel isOpen={isOpen} onClose={onClose} title={t.apiKeys.create} act={t.create} onSubmit={submit}>
      <TextInput
        label={t.name}
        description={t.apiKeys.nameNote}
        value={name}
        onChange={(event) => setName(event.target.value)}
        required
        data-autofocus
      />
      <NativeSelect
        label={t.apiKeys.role}
        description={t.apiKeys.roleNote(role)}
        value={role}
        onChange={(event) => setRole(roles.find((each) => each === event.target.value) ?? 'environment')}
        data={roles.map((value) => ({ value, label: t.apiKeys.roles(value) }))}
      />
      {role === 'application' && (
        <TextInput
          label={t.application.application}
          description={t.apiKeys.appNote}
          placeholder="app_…"
          value={appId}
          onChange={(event) => setAppId(event.target.value)}
          required
        />
      )}
      <NativeSelect
        label={t.apiKeys.expiry}
        value={days}
        onChange={(event) => setDays(event.target.value)}
        data={lifetimes.map((value) => ({ value, label: t.apiKeys.lifetime(value) }))}
      />
    </FormPanel>
  );
}
