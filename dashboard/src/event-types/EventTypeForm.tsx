// Creates an event type, or changes one.
import { Switch, Textarea, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { client } from '../api/client';
import type { EventType } from '../api/types';
import { FormPanel } from '../design/layout/Dialog';
import { isJson } from '../design/values/json';
import { useT } from '../i18n';

interface Props {
  isOpen: boolean;
  onClose: () => void;
  type?: EventType;
}

const blank = { name: '', description: '', groupName: '', schemas: '', deprecated: false };

export function EventTypeForm({ isOpen, onClose, type }: Props) {
  const t = useT();
  const queries = useQueryClient();
  const [form, setForm] = useState(blank);
  const set = (change: Partial<typeof blank>) => setForm((now) => ({ ...now, ...change }));

  // biome-ignore lint/correctness/useExhaustiveDependencies: the fields begin anew each time it opens.
  useEffect(() => {
    if (!isOpen) return;
    setForm(
      type
        ? {
            name: type.name,
            description: type.description,
            groupName: type.groupName ?? '',
            schemas: type.schemas ? JSON.stringify(type.schemas, null, 2) : '',
            deprecated: type.deprecated,
          }
        : blank,
    );
  }, [isOpen]);

  const isSchemaWrong = form.schemas.trim() !== '' && !isJson(form.schemas);
  const submit = async () => {
    if (isSchemaWrong) throw new Error(t.eventTypes.schemaWrong);
    const body = {
      description: form.description,
      groupName: form.groupName.trim() || null,
      schemas: form.schemas.trim() === '' ? null : JSON.parse(form.schemas),
      deprecated: form.deprecated,
    };
    if (type)
      await client.PATCH('/api/v1/event-type/{event_type_name}', {
        params: { path: { event_type_name: type.name } },
        body,
      });
    else await client.POST('/api/v1/event-type', { body: { ...body, name: form.name.trim() } });
    await queries.invalidateQueries();
  };
  return (
    <FormPanel
      isOpen={isOpen}
      onClose={onClose}
      title={type ? type.name : t.eventTypes.create}
      act={type ? t.save : t.create}
      onSubmit={submit}
    >
      {!type && (
        <TextInput
          label={t.name}
          description={t.eventTypes.nameNote}
          placeholder="invoice.paid"
          value={form.name}
          onChange={(event) => set({ name: event.target.value })}
          pattern="[a-zA-Z0-9\-_.]+"
          required
          data-autofocus
        />
      )}
      <Textarea
        label={t.endpoint.description}
        value={form.description}
        onChange={(event) => set({ description: event.target.value })}
        rows={3}
        required
      />
      <TextInput
        label={t.eventTypes.group}
        value={form.groupName}
        onChange={(event) => set({ groupName: event.target.value })}
      />
      <Textarea
        label={t.eventTypes.schemas}
        description={t.eventTypes.schemasNote}
        classNames={{ input: 'mono' }}
        value={form.schemas}
        onChange={(event) => set({ schemas: event.target.value })}
        rows={10}
        error={isSchemaWrong && t.eventTypes.schemaWrong}
      />
      <Switch
        label={t.eventTypes.deprecated}
        checked={form.deprecated}
        onChange={(event) => set({ deprecated: event.target.checked })}
      />
    </FormPanel>
  );
}
