// Creates an endpoint, or changes one.
import { NumberInput, TagsInput, Textarea, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { client } from '../../api/client';
import type { Endpoint } from '../../api/types';
import { FormPanel } from '../../design/layout/Dialog';
import { useEventTypeNames } from '../../event-types/all';
import { useT } from '../../i18n';
import { usePlaces } from '../../navigation/places';

interface Props {
  appId: string;
  isOpen: boolean;
  onClose: () => void;
  endpoint?: Endpoint;
}

const blank = {
  url: '',
  description: '',
  uid: '',
  eventTypes: [] as string[],
  channels: [] as string[],
  rateLimit: '' as number | string,
  maxInFlight: '' as number | string,
  schedule: '',
};

/** Seconds, separated by commas or spaces; null when nothing is said. */
export function parseSchedule(text: string): number[] | null {
  const parts = text.split(/[\s,]+/).filter(Boolean);
  return parts.length === 0 ? null : parts.map(Number);
}

export function EndpointForm({ appId, isOpen, onClose, endpoint }: Props) {
  const t = useT();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const places = usePlaces();
  const [form, setForm] = useState(blank);
  const set = (change: Partial<typeof blank>) => setForm((now) => ({ ...now, ...change }));
  const types = useEventTypeNames(isOpen);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the fields begin anew each time it opens.
  useEffect(() => {
    if (!isOpen) return;
    setForm(
      endpoint
        ? {
            url: endpoint.url,
            description: endpoint.description,
            uid: endpoint.uid ?? '',
            eventTypes: endpoint.eventTypes ?? [],
            channels: endpoint.channels ?? [],
            rateLimit: endpoint.rateLimit ?? '',
            maxInFlight: endpoint.maxInFlight ?? '',
            schedule: endpoint.retrySchedule?.join(', ') ?? '',
          }
        : blank,
    );
  }, [isOpen]);

  const submit = async () => {
    const number = (value: number | string) => (value === '' ? null : Number(value));
    const body = {
      url: form.url.trim(),
      description: form.description,
      uid: form.uid.trim() || null,
      eventTypes: form.eventTypes.length > 0 ? form.eventTypes : null,
      channels: form.channels.length > 0 ? form.channels : null,
      rateLimit: number(form.rateLimit),
      maxInFlight: number(form.maxInFlight),
      retrySchedule: parseSchedule(form.schedule),
    };
    if (endpoint) {
      await client.PATCH('/api/v1/app/{app_id}/endpoint/{endpoint_id}', {
        params: { path: { app_id: appId, endpoint_id: endpoint.id } },
        body,
      });
      await queries.invalidateQueries();
      return;
    }
    const { data } = await client.POST('/api/v1/app/{app_id}/endpoint', { params: { path: { app_id: appId } }, body });
    await queries.invalidateQueries();
    if (data) await navigate({ to: places.endpoint(appId, data.id) });
  };
  return (
    <FormPanel
      isOpen={isOpen}
      onClose={onClose}
      title={endpoint ? t.endpoint.edit : t.endpoint.create}
      act={endpoint ? t.save : t.create}
      onSubmit={submit}
    >
      <TextInput
        label="URL"
        type="url"
        description={t.endpoint.urlNote}
        value={form.url}
        onChange={(event) => set({ url: event.target.value })}
        required
        data-autofocus
      />
      <Textarea
        label={t.endpoint.description}
        value={form.description}
        onChange={(event) => set({ description: event.target.value })}
        rows={2}
      />
      <TagsInput
        label={t.endpoint.eventTypes}
        description={t.endpoint.eventTypesNote}
        data={types}
        value={form.eventTypes}
        onChange={(eventTypes) => set({ eventTypes })}
      />
      <TagsInput
        label={t.endpoint.channels}
        description={t.endpoint.channelsNote}
        value={form.channels}
        onChange={(channels) => set({ channels })}
      />
      {!places.isPortal && (
        <>
          <TextInput
            label={t.application.uid}
            description={t.endpoint.uidNote}
            value={form.uid}
            onChange={(event) => set({ uid: event.target.value })}
            pattern="[a-zA-Z0-9\-_.]+"
          />
          <NumberInput
            label={t.endpoint.rateLimit}
            description={t.endpoint.rateLimitNote}
            value={form.rateLimit}
            onChange={(rateLimit) => set({ rateLimit })}
            min={1}
            allowDecimal={false}
            hideControls
          />
          <NumberInput
            label={t.endpoint.maxInFlight}
            description={t.endpoint.maxInFlightNote}
            value={form.maxInFlight}
            onChange={(maxInFlight) => set({ maxInFlight })}
            min={1}
            max={1000}
            allowDecimal={false}
            hideControls
          />
          <TextInput
            label={t.endpoint.schedule}
            description={t.endpoint.scheduleNote}
            value={form.schedule}
            onChange={(event) => set({ schedule: event.target.value })}
            pattern="[0-9., ]*"
            placeholder="60, 300, 1800, 7200, 21600, 86400"
          />
        </>
      )}
    </FormPanel>
  );
}
