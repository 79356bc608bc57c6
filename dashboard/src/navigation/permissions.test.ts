import { expect, test } from 'vitest';
import { permissionsOf } from './permissions';

test('a link without capabilities allows everything of the tenant', () => {
  expect(permissionsOf(null).may('ManageEndpoint')).toBe(true);
});

test('a link to look at allows no change and shows no secret', () => {
  const { may, isOperator } = permissionsOf(['ViewBase']);
  expect([may('ManageEndpoint'), may('CreateAttempts'), may('ViewEndpointSecret'), isOperator]).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test('to manage endpoints is to manage their secrets, and to rotate a secret is to see it', () => {
  expect(permissionsOf(['ManageEndpoint']).may('ManageEndpointSecret')).toBe(true);
  expect(permissionsOf(['ManageEndpointSecret']).may('ViewEndpointSecret')).toBe(true);
  expect(permissionsOf(['ViewEndpointSecret']).may('ManageEndpointSecret')).toBe(false);
});
