// Who is signed in. Asked once, kept until it ends.
import { client, setCredentials, whenSignedOut } from '../api/client';
import { isStatus } from '../api/error';
import type { Session } from '../api/types';

let known: Session | null = null;

export async function currentSession(): Promise<Session | null> {
  if (known) return known;
  try {
    const { data } = await client.GET('/api/v1/session');
    return data ? begin(data) : null;
  } catch (error) {
    if (isStatus(error, 401)) return null;
    throw error;
  }
}

export function begin(session: Session): Session {
  known = session;
  setCredentials({ csrfToken: session.csrfToken });
  return session;
}

export function forgetSession(): void {
  known = null;
  setCredentials({ csrfToken: undefined, environment: undefined });
}

export async function signOut(everywhere: boolean): Promise<void> {
  try {
    await client.DELETE('/api/v1/session', { params: { query: { everywhere } } });
  } catch (error) {
    // It has ended already.
    if (!isStatus(error, 401)) throw error;
  }
  forgetSession();
}

/** When the server knows the session no longer, the page goes to where one signs in. */
export function watchSession(goToSignIn: () => void): void {
  whenSignedOut(() => {
    if (!known) return;
    forgetSession();
    goToSignIn();
  });
}
