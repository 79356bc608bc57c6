// Sends a message once more to every endpoint that it went to.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { allPages } from '../api/all-pages';
import { client } from '../api/client';
import type { Delivery } from '../api/types';
import { Loaded } from '../design/feedback/Loaded';
import { toast } from '../design/feedback/toast';
import { Ask } from '../design/layout/Dialog';
import { SkeletonText } from '../design/tables/Table';
import { useT } from '../i18n';

interface Props {
  appId: string;
  msgId: string;
  isOpen: boolean;
  onClose: () => void;
}

export function ResendAll({ appId, msgId, isOpen, onClose }: Props) {
  const t = useT();
  const queries = useQueryClient();
  // Whoever tries again after a failure goes on with those that are left.
  const [sent, setSent] = useState<string[]>([]);
  const path = { app_id: appId, msg_id: msgId };
  const deliveries = useQuery({
    queryKey: ['deliveries-of-message', appId, msgId],
    queryFn: () =>
      allPages<Delivery>((iterator) =>
        client.GET('/api/v1/app/{app_id}/msg/{msg_id}/delivery', {
          params: { path, query: { limit: 250, iterator } },
        }),
      ),
    enabled: isOpen,
  });
  const targets = (deliveries.data ?? []).filter(
    ({ endpointId, endpointDeletedAt }) => !endpointDeletedAt && !sent.includes(endpointId),
  );
  const resend = async () => {
    for (const { endpointId } of targets) {
      await client.POST('/api/v1/app/{app_id}/msg/{msg_id}/endpoint/{endpoint_id}/resend', {
        params: { path: { ...path, endpoint_id: endpointId } },
      });
      setSent((now) => [...now, endpointId]);
    }
    setSent([]);
    await queries.invalidateQueries();
    toast(t.message.resent);
  };
  return (
    <Ask
      isOpen={isOpen}
      onClose={onClose}
      title={t.message.resendTitle}
      act={t.message.resendAct(targets.length)}
      onAct={resend}
    >
      <p>{t.message.resendText}</p>
      <Loaded query={deliveries} skeleton={<SkeletonText place={2} />}>
        {() => (
          <ul className="small">
            {targets.map((delivery) => (
              <li key={delivery.endpointId} className="row">
                <span className="grow cut">{delivery.endpointUrl}</span>
                <span className={delivery.state}>{t.states[delivery.state]}</span>
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Ask>
  );
}
