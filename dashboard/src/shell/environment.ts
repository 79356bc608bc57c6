// Which environment an operator looks at. It is in the URL, and the last one is remembered.
import { client, everywhere, setCredentials } from '../api/client';
import { isStatus } from '../api/error';
import type { Session } from '../api/types';

const storageKey = 'postrider.environment';

/** The environment to use: `wanted` is the one in the URL, and null when it is not there, or when there is none yet. What
 *  was looked at last may have been on another server at this address. */
export async function chooseEnvironment(session: Session, wanted: string | undefined): Promise<string | null> {
  if (session.role !== 'operator') {
    setCredentials({ environment: undefined });
    return session.environmentId;
  }
  const chosen = wanted
    ? await found(wanted)
    : ((await found(localStorage.getItem(storageKey))) ?? (await firstEnvironment()));
  if (chosen) remember(chosen);
  return chosen;
}

let known: string | null = null;

/** A change makes the environment that it names, so one that is not there must not be named. */
async function found(environment: string | null | undefined): Promise<string | null> {
  if (!environment || environment === known) return environment ?? null;
  try {
    await client.GET('/api/v1/admin/environment/{environment_id}', {
      params: { path: { environment_id: environment }, header: everywhere },
    });
  } catch (error) {
    if (isStatus(error, 404) || isStatus(error, 422)) return null;
    throw error;
  }
  known = environment;
  return environment;
}

function remember(environment: string): void {
  localStorage.setItem(storageKey, environment);
  setCredentials({ environment });
}

async function firstEnvironment(): Promise<string | null> {
  const { data } = await client.GET('/api/v1/admin/environment', { params: { query: { limit: 1 } } });
  return data?.data[0]?.id ?? null;
}
