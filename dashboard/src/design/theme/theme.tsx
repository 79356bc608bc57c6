// Light, dark or the system's, kept in the browser; and Mantine, which follows it.
import { createTheme, localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { type ReactNode, useSyncExternalStore } from 'react';

export type Theme = 'light' | 'dark' | 'system';

const storageKey = 'postrider.theme';
const darkQuery = '(prefers-color-scheme: dark)';
const listeners = new Set<() => void>();

const mantineTheme = createTheme({
  cursorType: 'pointer',
  defaultRadius: 6,
  fontFamily: 'var(--sans)',
  respectReducedMotion: true,
  components: { Switch: { defaultProps: { withThumbIndicator: false } } },
});
// Mantine is told the scheme; it keeps nothing by itself.
const noManager = { ...localStorageColorSchemeManager(), get: () => scheme(), set: () => {}, clear: () => {} };

export function readTheme(): Theme {
  const kept = localStorage.getItem(storageKey);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

export function writeTheme(theme: Theme): void {
  localStorage.setItem(storageKey, theme);
  applyTheme();
}

/** Called before anything is drawn, so that no page flashes in the other theme. */
export function applyTheme(): void {
  const theme = readTheme();
  if (theme === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  for (const listener of listeners) listener();
}

function scheme(): 'light' | 'dark' {
  const theme = readTheme();
  if (theme !== 'system') return theme;
  return matchMedia(darkQuery).matches ? 'dark' : 'light';
}

function subscribe(listener: () => void): () => void {
  const media = matchMedia(darkQuery);
  listeners.add(listener);
  media.addEventListener('change', listener);
  return () => {
    listeners.delete(listener);
    media.removeEventListener('change', listener);
  };
}

export function useTheme(): Theme {
  return useSyncExternalStore(subscribe, readTheme);
}

export function useScheme(): 'light' | 'dark' {
  return useSyncExternalStore(subscribe, scheme);
}

export function ThemeProvider({ children }: { children: ReactNode }) {
  return (
    <MantineProvider
      theme={mantineTheme}
      forceColorScheme={useScheme()}
      colorSchemeManager={noManager}
      withCssVariables={false}
      withGlobalClasses={false}
    >
      {children}
    </MantineProvider>
  );
}
