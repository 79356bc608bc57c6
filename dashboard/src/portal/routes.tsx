// The portal's places.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { basePath } from '../api/base';
import { Failure } from '../design/feedback/Notice';
import { parseSearch, stringifySearch, type UrlValues } from '../navigation/url';
import { Nowhere } from '../shell/Nowhere';
import { PortalShell } from './PortalShell';

const root = createRootRoute({
  component: PortalShell,
  validateSearch: (search: Record<string, unknown>) => search as UrlValues,
  notFoundComponent: Nowhere,
});

// biome-ignore lint/suspicious/noExplicitAny: each view has another module, and the router takes any component.
type ViewModule = () => Promise<any>;

function view(path: string, module: ViewModule, name: string) {
  return createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(module, name) });
}

const views = [
  view('/', () => import('./EndpointsView'), 'EndpointsView'),
  view('/add', () => import('./wizard/WizardView'), 'WizardView'),
  view('/endpoints/$endpointId', () => import('./PortalEndpointView'), 'PortalEndpointView'),
  view('/messages', () => import('./TrafficViews'), 'PortalMessagesView'),
  view('/messages/$msgId', () => import('./TrafficViews'), 'PortalMessageView'),
  view('/dead-letters', () => import('./TrafficViews'), 'PortalDeadLettersView'),
  view('/dead-letters/$deadLetterId', () => import('./TrafficViews'), 'PortalDeadLetterView'),
  view('/event-types', () => import('../event-types/EventTypesView'), 'EventTypesView'),
  view('/event-types/$name', () => import('../event-types/EventTypeView'), 'EventTypeView'),
];

export const router = createRouter({
  routeTree: root.addChildren(views),
  basepath: `${basePath}/portal`,
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultErrorComponent: ({ error, reset }) => <Failure error={error} onRetry={reset} />,
});
