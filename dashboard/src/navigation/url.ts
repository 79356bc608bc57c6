// The URL is where a view keeps what it shows: filters, range, tab, the open panel. All values are plain text.
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';

export type UrlValues = Record<string, string | undefined>;

export function parseSearch(text: string): UrlValues {
  return Object.fromEntries(new URLSearchParams(text));
}

export function stringifySearch(values: Record<string, unknown>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== null && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return text ? `?${text}` : '';
}

/** What opens beside a view. It changes nothing of what the view lists; something new shows on the first page. */
const beside = ['panel', 'id', 'ids', 'for', 'revoke', 'open'];

export function keepsPage(patch: UrlValues): boolean {
  return patch.panel !== 'new' && Object.keys(patch).every((name) => beside.includes(name));
}

/** The values of the URL, and a way to change some of them. A change of filters goes back to the first page. */
export function useUrl(): [UrlValues, (change: UrlValues, options?: { replace?: boolean }) => void] {
  const values = useSearch({ strict: false }) as UrlValues;
  const navigate = useNavigate();
  const change = useCallback(
    (patch: UrlValues, options?: { replace?: boolean }) => {
      const search = (before: UrlValues) => ({
        ...before,
        ...('iterator' in patch || keepsPage(patch) ? {} : { iterator: undefined }),
        ...patch,
      });
      void navigate({ to: '.', search: search as never, replace: options?.replace, resetScroll: false });
    },
    [navigate],
  );
  return [values, change];
}

export function useParam(name: string): string {
  const params = useParams({ strict: false }) as Record<string, string | undefined>;
  return params[name] ?? '';
}
