// What is told of an error to the person who meets it, in their language where its code is known there.
import type { Messages } from '../i18n/en';
import { ApiError, refusedParameters } from './error';

export function errorText(error: unknown, failure: Messages['failure']): string {
  if (refusedParameters(error).includes('iterator')) return failure.noPage;
  if (error instanceof ApiError) return failure.told(error);
  return error instanceof TypeError ? failure.network : failure.page;
}
