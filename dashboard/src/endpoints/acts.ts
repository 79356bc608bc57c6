// What a caller may do to an endpoint, and doing it.
import { useQueryClient } from '@tanstack/react-query';
import { client } from '../api/client';
import type { Endpoint } from '../api/types';
import { toast } from '../design/feedback/toast';
import { useT } from '../i18n';
import { usePermissions } from '../navigation/permissions';

export function useEndpointActs(appId: string, endpoint: Endpoint) {
  const t = useT();
  const queries = useQueryClient();
  const { may, isOperator } = usePermissions();
  const path = { app_id: appId, endpoint_id: endpoint.id };
  const done = async (text: string) => {
    await queries.invalidateQueries();
    toast(text);
  };
  return {
    canManage: may('ManageEndpoint'),
    canSend: may('CreateAttempts'),
    canPause: isOperator,
    setDisabled: async (disabled: boolean) => {
      await client.PATCH('/api/v1/app/{app_id}/endpoint/{endpoint_id}', { params: { path }, body: { disabled } });
      await done(disabled ? t.endpoint.isDisabled : t.endpoint.isEnabled);
    },
    pause: async () => {
      await client.POST('/api/v1/admin/pause/app/{app_id}/endpoint/{endpoint_id}', { params: { path } });
      await done(t.endpoint.isPaused);
    },
    resume: async () => {
      await client.POST('/api/v1/admin/resume/app/{app_id}/endpoint/{endpoint_id}', { params: { path } });
      await done(t.endpoint.isResumed);
    },
    remove: async () => {
      await client.DELETE('/api/v1/app/{app_id}/endpoint/{endpoint_id}', { params: { path } });
      await done(t.endpoint.isDeleted);
    },
  };
}
