// Creates an application, or changes one.
import { NumberInput, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { client } from '../api/client';
import type { Application } from '../api/types';
import { FormPanel } from '../design/layout/Dialog';
import { useT } from '../i18n';

interface Props {
  isOpen: boolean;
  onClose: () => void;
  application?: Application;
}

export function ApplicationForm({ isOpen, onClose, application }: Props) {
  const t = useT();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [uid, setUid] = useState('');
  const [rateLimit, setRateLimit] = useState<number | string>('');

  // biome-ignore lint/correctness/useExhaustiveDependencies: the fields begin anew each time it opens.
  useEffect(() => {
    if (!isOpen) return;
    setName(application?.name ?? '');
    setUid(application?.uid ?? '');
    setRateLimit(application?.rateLimit ?? '');
  }, [isOpen]);

  const submit = async () => {
    const body = { name: name.trim(), uid: uid.trim() || null, rateLimit: rateLimit === '' ? null : Number(rateLimit) };
    if (application) {
      await client.PATCH('/api/v1/app/{app_id}', { params: { path: { app_id: application.id } }, body });
      await queries.invalidateQueries();
      return;
    }
    const { data } = await client.POST('/api/v1/app', { body });
    await queries.invalidateQueries();
    if (data) await navigate({ to: `/applications/${data.id}` });
  };
  return (
    <FormPanel
      isOpen={isOpen}
      onClose={onClose}
      title={application ? t.application.edit : t.applications.create}
      act={application ? t.save : t.create}
      onSubmit={submit}
    >
      <TextInput
        label={t.name}
        description={t.application.nameNote}
        value={name}
        onChange={(event) => setName(event.target.value)}
        required
        maxLength={256}
        data-autofocus
      />
      <TextInput
        label={t.application.uid}
        description={t.application.uidNote}
        value={uid}
        onChange={(event) => setUid(event.target.value)}
        pattern="[a-zA-Z0-9\-_.]+"
        maxLength={256}
      />
      <NumberInput
        label={t.application.rateLimit}
        description={t.application.rateLimitNote}
        value={rateLimit}
        onChange={setRateLimit}
        min={1}
        allowDecimal={false}
        hideControls
      />
    </FormPanel>
  );
}
