// The places of the console, with the counts that call for attention, the environment, and the person.
import { Menu } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useLocation, useNavigate, useRouteContext } from '@tanstack/react-router';
import { isFiring, useAlertRules } from '../alerts/queries';
import { allPages } from '../api/all-pages';
import { client } from '../api/client';
import type { Schemas, Session } from '../api/types';
import { Button } from '../design/controls/Button';
import { Icon, type IconName } from '../design/values/Icon';
import { useFormat, useT } from '../i18n';
import { Go } from '../navigation/places';
import { useOverview } from '../overview/queries';
import { Preferences } from './Preferences';
import { signOut } from './session';

interface ShellContext {
  session: Session;
  environment: string | null;
}

export function useShell(): ShellContext {
  return useRouteContext({ strict: false }) as unknown as ShellContext;
}

export function NavContent({ onPalette, onHelp }: { onPalette: () => void; onHelp: () => void }) {
  const t = useT();
  const format = useFormat();
  const { session } = useShell();
  const isOperator = session.role === 'operator';
  const { data } = useOverview('24h');
  const dead = data?.underWay.find((each) => each.kind === 'dead');
  const firing = useAlertRules().data?.data.filter(isFiring).length ?? 0;
  const nodesDown = data?.nodes?.filter((node) => node.state === 'stopped').length ?? 0;
  const count = (value: { count: number; isCapped: boolean } | undefined) =>
    value && format.compact(value.count) + (value.isCapped ? '+' : '');
  return (
    <>
      <Environment />
      <button type="button" className="nav-find" onClick={onPalette}>
        <Icon name="search" small />
        <span>{t.shell.searchOrAct}</span>
        <kbd>{isMac() ? '⌘K' : 'Ctrl K'}</kbd>
      </button>
      <nav aria-label={t.shell.places}>
        <Item to="/" icon="overview" label={t.shell.overview} />
        <Item to="/applications" icon="application" label={t.shell.applications} count={count(data?.applications)} />
        <Item to="/messages" icon="message" label={t.shell.messages} />
        <Item
          to="/dead-letters"
          icon="deadLetter"
          label={t.shell.deadLetters}
          count={dead && dead.count > 0 ? count(dead) : undefined}
          isAlert
        />
        <Item to="/event-types" icon="eventType" label={t.shell.eventTypes} count={count(data?.eventTypes)} />
        <div className="nav-group">{t.shell.operate}</div>
        <Item
          to="/tasks"
          icon="task"
          label={t.shell.tasks}
          count={data?.runningTasks ? String(data.runningTasks) : undefined}
        />
        {isOperator && (
          <Item
            to="/nodes"
            icon="node"
            label={t.shell.nodes}
            count={nodesDown > 0 ? t.shell.down(nodesDown) : undefined}
            isAlert
          />
        )}
        <Item
          to="/alerts"
          icon="alert"
          label={t.shell.alerts}
          count={firing > 0 ? t.shell.firing(firing) : undefined}
          isAlert
        />
        <Item to="/operational-webhooks" icon="operational" label={t.shell.operationalWebhooks} />
        <Item to="/portal-look" icon="portal" label={t.shell.portalLook} />
        <Item to="/api-keys" icon="key" label={t.shell.apiKeys} />
        {isOperator && <Item to="/people" icon="people" label={t.shell.people} />}
        <Item to="/audit-log" icon="audit" label={t.shell.auditLog} />
        {isOperator && <Item to="/settings" icon="settings" label={t.shell.settings} />}
      </nav>
      <Foot session={session} onHelp={onHelp} />
    </>
  );
}

export function isMac(): boolean {
  return navigator.platform.startsWith('Mac');
}

/** The place that a path belongs to. A message is one of all messages, whoever's it is. */
export function placeOf(pathname: string): string {
  const [first = '', , third] = pathname.split('/').filter(Boolean);
  return first === 'applications' && third === 'messages' ? '/messages' : `/${first}`;
}

interface ItemProps {
  to: string;
  icon: IconName;
  label: string;
  count?: string;
  isAlert?: boolean;
}

function Item({ to, icon, label, count, isAlert }: ItemProps) {
  const { pathname } = useLocation();
  return (
    <Go
      to={to}
      className="nav-item"
      activeOptions={{ exact: true, includeSearch: false }}
      aria-current={placeOf(pathname) === to ? 'page' : undefined}
    >
      <Icon name={icon} />
      {label}
      {count !== undefined && <span className={isAlert ? 'count alert' : 'count'}>{count}</span>}
    </Go>
  );
}

function Environment() {
  const t = useT();
  const { session, environment } = useShell();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const isOperator = session.role === 'operator';
  const { data } = useQuery({
    queryKey: ['all-environments'],
    queryFn: () =>
      allPages<Schemas['EnvironmentOut']>((iterator) =>
        client.GET('/api/v1/admin/environment', { params: { query: { limit: 250, iterator } } }),
      ),
    enabled: isOperator,
  });
  return (
    <div className="nav-environment">
      <span className="nav-mark">
        <svg viewBox="0 0 14 14" aria-hidden="true">
          <path d="M2.5 12V2.5h5a3 3 0 0 1 0 6H2.5" />
          <path d="m8 8.5 3.5 3.5" />
        </svg>
      </span>
      <div className="grow">
        <b className="cut">{environment ?? 'Postrider'}</b>
        <span className="caption">{t.shell.environment}</span>
      </div>
      {isOperator && (
        <>
          <Icon name="chevronDown" small />
          <select
            aria-label={t.shell.environment}
            value={environment ?? ''}
            onChange={(event) => {
              queries.clear();
              void navigate({ to: '/', search: { env: event.target.value } as never });
            }}
          >
            {environment && !data?.some((each) => each.id === environment) && (
              <option value={environment}>{environment}</option>
            )}
            {data?.map((each) => (
              <option key={each.id} value={each.id}>
                {each.id}
              </option>
            ))}
          </select>
        </>
      )}
    </div>
  );
}

function Foot({ session, onHelp }: { session: Session; onHelp: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const leave = async (everywhere: boolean) => {
    await signOut(everywhere);
    queries.clear();
    await navigate({ to: '/sign-in' });
  };
  return (
    <div className="nav-foot">
      <span className="grow cut" title={session.name}>
        {session.name}
      </span>
      <Button kind="quiet" small icon="help" iconOnly onClick={onHelp}>
        {t.shell.help}
      </Button>
      <Preferences>
        <Menu.Divider />
        <Menu.Item leftSection={<Icon name="signOut" small />} onClick={() => leave(false)}>
          {t.shell.signOut}
        </Menu.Item>
        <Menu.Item onClick={() => leave(true)}>{t.shell.signOutEverywhere}</Menu.Item>
      </Preferences>
    </div>
  );
}
