import { expect, test } from 'vitest';
import { placeOf } from './Nav';

test('a view belongs to the place that its crumbs begin with', () => {
  expect(placeOf('/')).toBe('/');
  expect(placeOf('/applications/app_1/endpoints/ep_1')).toBe('/applications');
  expect(placeOf('/applications/app_1/messages/msg_1')).toBe('/messages');
  expect(placeOf('/alerts')).toBe('/alerts');
});
