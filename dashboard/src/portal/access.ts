// The link that opened the portal. Its token stays in this tab, and out of cookies: in a frame of another site, cookies
// would not be sent.
import { client, setCredentials } from '../api/client';
import { isStatus } from '../api/error';
import type { Schemas } from '../api/types';

const storageKey = 'postrider.portal';

interface Link {
  appId: string;
  token: string;
}

export interface Access {
  appId: string;
  appName: string;
  who: Schemas['WhoAmIOut'];
  look: Schemas['LookOut'];
}

export type Opening =
  | { kind: 'open'; access: Access }
  | { kind: 'over'; refreshUrl: string | null }
  | { kind: 'no-link' };

/** What stands behind `#key=`: Base64 of a JSON object. Anything else is no link. */
export function parseLink(hash: string): Link | null {
  const key = new URLSearchParams(hash.replace(/^#/, '')).get('key');
  if (!key) return null;
  try {
    // A plus sign of Base64 reads as a space in a query.
    const text = new TextDecoder().decode(
      Uint8Array.from(atob(key.replaceAll(' ', '+')), (character) => character.charCodeAt(0)),
    );
    const { appId, token } = JSON.parse(text) as Partial<Link>;
    return appId && token ? { appId, token } : null;
  } catch {
    return null;
  }
}

export async function openPortal(): Promise<Opening> {
  const fresh = parseLink(location.hash);
  if (fresh) {
    sessionStorage.setItem(storageKey, JSON.stringify(fresh));
    history.replaceState(history.state, '', location.pathname + location.search);
  }
  const kept = fresh ?? (JSON.parse(sessionStorage.getItem(storageKey) ?? 'null') as Link | null);
  if (!kept) return { kind: 'no-link' };
  setCredentials({ bearer: kept.token });
  try {
    const [who, look, application] = await Promise.all([
      client.GET('/api/v1/auth/whoami'),
      client.GET('/api/v1/portal/look'),
      client.GET('/api/v1/app/{app_id}', { params: { path: { app_id: kept.appId } } }),
    ]);
    if (!who.data || !look.data || !application.data) return { kind: 'over', refreshUrl: null };
    rememberRefresh(look.data.refreshUrl);
    return {
      kind: 'open',
      access: { appId: application.data.id, appName: application.data.name, who: who.data, look: look.data },
    };
  } catch (error) {
    if (isStatus(error, 401) || isStatus(error, 403) || isStatus(error, 404))
      return { kind: 'over', refreshUrl: refreshUrl() };
    throw error;
  }
}

function rememberRefresh(url: string | null): void {
  if (url) localStorage.setItem(`${storageKey}.refresh`, url);
  else localStorage.removeItem(`${storageKey}.refresh`);
}

/** Where a new link is made, leading back to this view. */
export function refreshUrl(): string | null {
  const kept = localStorage.getItem(`${storageKey}.refresh`);
  if (!kept || !URL.canParse(kept) || new URL(kept).protocol !== 'https:') return null;
  const url = new URL(kept);
  url.searchParams.set('return_to', location.pathname + location.search);
  return url.href;
}
