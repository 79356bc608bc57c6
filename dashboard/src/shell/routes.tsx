// The console's places and their views. A view is loaded when it is opened.
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
  retainSearchParams,
} from '@tanstack/react-router';
import { basePath } from '../api/base';
import { Failure } from '../design/feedback/Notice';
import { parseSearch, stringifySearch, type UrlValues } from '../navigation/url';
import { chooseEnvironment } from './environment';
import { useShell } from './Nav';
import { NoEnvironment } from './NoEnvironment';
import { Shell } from './Shell';
import { currentSession } from './session';

const anySearch = (search: Record<string, unknown>) => search as UrlValues;

const root = createRootRoute({
  component: Outlet,
  validateSearch: anySearch,
  errorComponent: ({ error, reset }) => <Failure error={error} onRetry={reset} />,
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: lazyRouteComponent(() => import('../sign-in/SignInView'), 'SignInView'),
});

const firstEnvironment = createRoute({
  getParentRoute: () => root,
  path: '/first-environment',
  component: lazyRouteComponent(() => import('./FirstEnvironmentView'), 'FirstEnvironmentView'),
  beforeLoad: async () => {
    const session = await currentSession();
    if (session?.role !== 'operator' || (await chooseEnvironment(session, undefined))) throw redirect({ to: '/' });
  },
});

// Links of older versions to the portal open at /login.
const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  component: () => null,
  beforeLoad: () => {
    location.replace(`${basePath}/portal/${location.hash}`);
  },
});

/** A link may name an environment that is not there. */
function ShellOrNowhere() {
  const { session, environment } = useShell();
  return session.role === 'operator' && environment === null ? <NoEnvironment /> : <Shell />;
}

const shell = createRoute({
  getParentRoute: () => root,
  id: 'shell',
  component: ShellOrNowhere,
  search: { middlewares: [retainSearchParams<UrlValues>(['env'])] },
  beforeLoad: async ({ location, search }) => {
    const session = await currentSession();
    if (!session)
      throw redirect({
        to: '/sign-in',
        search: { return_to: location.href === '/' ? undefined : location.href } as never,
      });
    const { env } = search as UrlValues;
    const environment = await chooseEnvironment(session, env);
    if (session.role === 'operator' && environment === null && !env) throw redirect({ to: '/first-environment' });
    return { session, environment };
  },
});

// biome-ignore lint/suspicious/noExplicitAny: each view has another module, and the router takes any component.
type ViewModule = () => Promise<any>;

function view(path: string, module: ViewModule, name: string) {
  return createRoute({ getParentRoute: () => shell, path, component: lazyRouteComponent(module, name) });
}

const views = [
  view('/', () => import('../overview/OverviewView'), 'OverviewView'),
  view('/applications', () => import('../applications/ApplicationsView'), 'ApplicationsView'),
  view('/applications/$appId', () => import('../applications/ApplicationView'), 'ApplicationView'),
  view('/applications/$appId/endpoints/$endpointId', () => import('../endpoints/EndpointView'), 'EndpointView'),
  view('/applications/$appId/messages/$msgId', () => import('../messages/MessageView'), 'MessageView'),
  view('/messages', () => import('../messages/MessagesView'), 'MessagesView'),
  view('/dead-letters', () => import('../dead-letters/DeadLettersView'), 'DeadLettersView'),
  view('/dead-letters/$deadLetterId', () => import('../dead-letters/DeadLetterView'), 'DeadLetterView'),
  view('/event-types', () => import('../event-types/EventTypesView'), 'EventTypesView'),
  view('/event-types/$name', () => import('../event-types/EventTypeView'), 'EventTypeView'),
  view('/tasks', () => import('../tasks/TasksView'), 'TasksView'),
  view('/tasks/$taskId', () => import('../tasks/TaskView'), 'TaskView'),
  view('/nodes', () => import('../nodes/NodesView'), 'NodesView'),
  view('/alerts', () => import('../alerts/AlertsView'), 'AlertsView'),
  view(
    '/operational-webhooks',
    () => import('../operational-webhooks/OperationalWebhooksView'),
    'OperationalWebhooksView',
  ),
  view(
    '/operational-webhooks/$endpointId',
    () => import('../operational-webhooks/OperationalWebhookView'),
    'OperationalWebhookView',
  ),
  view('/api-keys', () => import('../api-keys/ApiKeysView'), 'ApiKeysView'),
  view('/people', () => import('../people/PeopleView'), 'PeopleView'),
  view('/audit-log', () => import('../audit-log/AuditLogView'), 'AuditLogView'),
  view('/settings', () => import('../settings/SettingsView'), 'SettingsView'),
  view('/portal-look', () => import('../portal-look/PortalLookView'), 'PortalLookView'),
];

const nowhere = createRoute({
  getParentRoute: () => shell,
  path: '$',
  component: lazyRouteComponent(() => import('./Nowhere'), 'Nowhere'),
});

export const router = createRouter({
  routeTree: root.addChildren([signIn, firstEnvironment, login, shell.addChildren([...views, nowhere])]),
  basepath: basePath || '/',
  parseSearch,
  stringifySearch,
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultErrorComponent: ({ error, reset }) => <Failure error={error} onRetry={reset} />,
});
