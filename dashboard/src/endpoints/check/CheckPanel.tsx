// Tests an endpoint live: is it reached, does it accept a genuine request, does it refuse a forged and an old one.
import { NativeSelect } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../api/client';
import type { Endpoint } from '../../api/types';
import { Button } from '../../design/controls/Button';
import { Failure } from '../../design/feedback/Notice';
import { toast } from '../../design/feedback/toast';
import { Panel } from '../../design/layout/Dialog';
import { useEventTypeNames } from '../../event-types/all';
import { useT } from '../../i18n';
import { endpointName } from '../name';
import { CheckList } from './CheckList';

export function useCheck(appId: string, endpointId: string) {
  return useMutation({
    meta: { showsItsErrors: true },
    mutationFn: async (eventType: string | null) => {
      const path = { app_id: appId, endpoint_id: endpointId };
      const { data } = await client.POST('/api/v1/app/{app_id}/endpoint/{endpoint_id}/check', {
        params: { path },
        body: { eventType },
      });
      return data;
    },
  });
}

export function CheckPanel({
  appId,
  endpoint,
  isOpen,
  onClose,
}: {
  appId: string;
  endpoint: Endpoint;
  isOpen: boolean;
  onClose: () => void;
}) {
  const t = useT();
  const types = useEventTypeNames(isOpen);
  const [eventType, setEventType] = useState('');
  const check = useCheck(appId, endpoint.id);
  const example = useMutation({
    mutationFn: (type: string) =>
      client.POST('/api/v1/app/{app_id}/endpoint/{endpoint_id}/send-example', {
        params: { path: { app_id: appId, endpoint_id: endpoint.id } },
        body: { eventType: type },
      }),
    onSuccess: () => toast(t.check.exampleSent),
  });
  return (
    <Panel
      isOpen={isOpen}
      onClose={onClose}
      title={t.check.title}
      note={endpointName(endpoint.url)}
      footer={
        <>
          <Button disabled={eventType === ''} isBusy={example.isPending} onClick={() => example.mutate(eventType)}>
            {t.check.sendExample}
          </Button>
          <span className="grow" />
          <Button
            kind="primary"
            icon="play"
            isBusy={check.isPending}
            onClick={() => check.mutate(eventType || null)}
            data-autofocus
          >
            {check.data ? t.check.again : t.check.run}
          </Button>
        </>
      }
    >
      <p className="small dim">{t.check.note}</p>
      <NativeSelect
        label={t.check.payload}
        value={eventType}
        onChange={(event) => setEventType(event.target.value)}
        data={[{ value: '', label: t.check.plain }, ...types]}
      />
      {check.error && <Failure error={check.error} />}
      <CheckList checks={check.data?.checks} isRunning={check.isPending} />
    </Panel>
  );
}
