import { expect, test } from 'vitest';
import { operate as en } from './en/operate';
import { operate as ko } from './ko/operate';

test('an action of the audit log is told to its last word', () => {
  expect(en.audit.action('endpoint.secret.rotated')).toBe('Endpoint secret rotated');
  expect(en.audit.action('incident.unacknowledge')).toBe('Incident acknowledgement taken back');
  expect(ko.audit.action('portal.look.set')).toBe('포털 모양 변경');
  expect(en.audit.action('alert_rule.created')).toBe('Alert rule created');
  expect(ko.audit.action('endpoint.secret.rotated')).toBe('엔드포인트 시크릿 교체');
  expect(ko.audit.action('alert_channel.deleted')).toBe('알림 채널 삭제');
});
