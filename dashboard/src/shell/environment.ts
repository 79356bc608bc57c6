// Which environment an operator looks at. It is in the URL, and the last one is remembered.
import { client, setCredentials } from '../api/client';
import type { Session } from '../api/types';

const storageKey = 'postrider.environment';

/** The environment to use, or null when there is none yet. `wanted` is the one in the URL. */
export async function chooseEnvironment(session: Session, wanted: string | undefined): Promise<string | null> {
  if (session.role !== 'operator') {
    setCredentials({ environment: undefined });
    return session.environmentId;
  }
  const chosen = wanted ?? localStorage.getItem(storageKey) ?? (await firstEnvironment());
  if (chosen) remember(chosen);
  return chosen;
}

function remember(environment: string): void {
  localStorage.setItem(storageKey, environment);
  setCredentials({ environment });
}

async function firstEnvironment(): Promise<string | null> {
  const { data } = await client.GET('/api/v1/admin/environment', { params: { query: { limit: 1 } } });
  return data?.data[0]?.id ?? null;
}
