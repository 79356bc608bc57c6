// Starts the console: language, theme, queries, and the view of the URL.
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { createRoot } from 'react-dom/client';
import { errorText } from './api/error-text';
import { createQueries } from './api/query';
import './design/theme/mantine.css';
import './design/theme/tokens.css';
import './design/theme/base.css';
import { Toasts, toast } from './design/feedback/toast';
import { applyTheme, ThemeProvider } from './design/theme/theme';
import { LanguageProvider, loadMessages, preferredLocale } from './i18n';
import { consolePlaces, PlacesProvider } from './navigation/places';
import { router } from './shell/routes';
import { watchSession } from './shell/session';

applyTheme();
const locale = preferredLocale();
const messages = await loadMessages(locale);
const queries = createQueries((error) => toast(errorText(error, messages.failure), true));
watchSession(() => {
  queries.clear();
  const { href } = router.state.location;
  void router.navigate({ to: '/sign-in', search: { return_to: href } as never });
});

const holder = document.getElementById('root');
if (holder) {
  createRoot(holder).render(
    <LanguageProvider initial={{ locale, messages }}>
      <ThemeProvider>
        <QueryClientProvider client={queries}>
          <PlacesProvider places={consolePlaces}>
            <RouterProvider router={router} />
            <Toasts />
          </PlacesProvider>
        </QueryClientProvider>
      </ThemeProvider>
    </LanguageProvider>,
  );
}
