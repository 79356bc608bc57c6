// Starts the portal: the link's token, the look, and the view of the URL.
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { createRoot } from 'react-dom/client';
import { whenSignedOut } from './api/client';
import { errorText } from './api/error-text';
import { createQueries } from './api/query';
import './design/theme/mantine.css';
import './design/theme/tokens.css';
import './design/theme/base.css';
import { Toasts, toast } from './design/feedback/toast';
import { applyTheme, ThemeProvider } from './design/theme/theme';
import { LanguageProvider, loadMessages, preferredLocale } from './i18n';
import { PermissionsProvider, permissionsOf } from './navigation/permissions';
import { PlacesProvider, portalPlaces } from './navigation/places';
import { type Opening, openPortal, refreshUrl } from './portal/access';
import { Closed } from './portal/Closed';
import { AccessProvider } from './portal/context';
import { applyLook } from './portal/look';
import { router } from './portal/routes';

applyTheme();
const locale = preferredLocale();
const [messages, opening] = await Promise.all([
  loadMessages(locale),
  openPortal().catch((error: unknown): Opening | { kind: 'failed'; error: unknown } => ({ kind: 'failed', error })),
]);
const queries = createQueries((error) => toast(errorText(error, messages.failure), true));
const holder = document.getElementById('root');
const root = holder && createRoot(holder);

function show(state: typeof opening): void {
  if (state.kind === 'open') applyLook(state.access.look, messages.portal.webhooks);
  root?.render(
    <LanguageProvider initial={{ locale, messages }}>
      <ThemeProvider>
        {state.kind !== 'open' ? (
          <Closed state={state} />
        ) : (
          <QueryClientProvider client={queries}>
            <PlacesProvider places={portalPlaces}>
              <PermissionsProvider permissions={permissionsOf(state.access.who.capabilities)}>
                <AccessProvider access={state.access}>
                  <RouterProvider router={router} />
                  <Toasts />
                </AccessProvider>
              </PermissionsProvider>
            </PlacesProvider>
          </QueryClientProvider>
        )}
      </ThemeProvider>
    </LanguageProvider>,
  );
}

whenSignedOut(() => show({ kind: 'over', refreshUrl: refreshUrl() }));
show(opening);
