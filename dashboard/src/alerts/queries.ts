// The rules with their state and the channels, asked again as often as the server evaluates the rules.
import { api } from '../api/client';
import type { AlertRule } from '../api/types';

const refetchMs = 15_000;

export function useAlertRules() {
  return api.useQuery('get', '/api/v1/alert-rule', {}, { refetchInterval: refetchMs });
}

export function useAlertChannels(everyMs: number = refetchMs) {
  return api.useQuery('get', '/api/v1/alert-channel', {}, { refetchInterval: everyMs });
}

export function isFiring(rule: AlertRule): boolean {
  return rule.enabled && rule.firingSince !== null;
}
