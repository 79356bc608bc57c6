// What happens now, read from the server's event stream. It comes back by itself, and says when it is not there.
import { useEffect, useRef, useState } from 'react';
import { basePath } from './base';
import { credentialHeaders } from './client';
import { readEvents } from './sse';
import type { Schemas } from './types';

export interface LiveStatus {
  kind: 'connecting' | 'live' | 'sampled' | 'lost' | 'off';
  shown?: number;
  of?: number;
  since?: number;
}

export interface LiveHandlers {
  message?: (event: Schemas['LiveMessage']) => void;
  attempt?: (event: Schemas['LiveAttempt']) => void;
  counters?: (event: Schemas['LiveCounters']) => void;
}

const firstWaitMs = 1_000;
const longestWaitMs = 30_000;

/** `path` is below /api/v1, with its query; null for none. The handlers say which topics are asked for. */
export function useLive(path: string | null, handlers: LiveHandlers): LiveStatus {
  const [status, setStatus] = useState<LiveStatus>({ kind: 'connecting' });
  const latest = useRef(handlers);
  latest.current = handlers;
  const topics = Object.keys(handlers).sort().join(',');

  useEffect(() => {
    if (path === null) {
      setStatus({ kind: 'off' });
      return;
    }
    const abort = new AbortController();
    const url = `${basePath}/api/v1${path}${path.includes('?') ? '&' : '?'}topics=${topics}`;
    void listen(url, abort.signal, setStatus, (name, data) => {
      const handle = latest.current[name as keyof LiveHandlers] as ((event: unknown) => void) | undefined;
      handle?.(data);
    });
    return () => abort.abort();
  }, [path, topics]);
  return status;
}

type Report = (status: LiveStatus) => void;

async function listen(
  url: string,
  signal: AbortSignal,
  report: Report,
  handle: (name: string, data: unknown) => void,
): Promise<void> {
  let waitMs = firstWaitMs;
  while (!signal.aborted) {
    try {
      const response = await fetch(url, {
        headers: { accept: 'text/event-stream', ...credentialHeaders('GET') },
        signal,
      });
      if (!response.ok || !response.body) throw new Error(`answered ${response.status}`);
      for await (const { name, data } of readEvents(response.body)) {
        waitMs = firstWaitMs;
        const event = JSON.parse(data) as Schemas['LiveSampled'];
        if (name === 'hello') report({ kind: 'live' });
        else if (name === 'sampled') report(event.shown < event.of ? { kind: 'sampled', ...event } : { kind: 'live' });
        else handle(name, event);
      }
    } catch {
      // Whatever broke the stream, the answer is to try again.
    }
    if (signal.aborted) return;
    report({ kind: 'lost', since: Date.now() });
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    waitMs = Math.min(waitMs * 2, longestWaitMs);
  }
}
