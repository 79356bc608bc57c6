// What stands around the portal's views: the operator's name and logo, and the places.

import { Outlet, useLocation } from '@tanstack/react-router';
import { publicPath } from '../api/base';
import { Icon } from '../design/values/Icon';
import { useT } from '../i18n';
import { Go } from '../navigation/places';
import { Preferences } from '../shell/Preferences';
import { useAccess } from './context';
import './portal.css';

/** What is about endpoints is below the first tab, also while one is added. */
function tabOf(pathname: string): string {
  const first = pathname.split('/').find(Boolean) ?? '';
  return ['', 'add', 'endpoints'].includes(first) ? '/' : `/${first}`;
}

export function PortalShell() {
  const t = useT();
  const { look, appName } = useAccess();
  const { pathname } = useLocation();
  const tab = (to: string, label: string) => (
    <Go
      to={to}
      className="portal-tab"
      activeOptions={{ exact: true, includeSearch: false }}
      aria-current={tabOf(pathname) === to ? 'page' : undefined}
    >
      {label}
    </Go>
  );
  return (
    <>
      <header className="portal-head">
        <div className="portal-width">
          <div className="row portal-brand">
            {look.logoUrl ? (
              <img className="portal-logo" src={publicPath(look.logoUrl)} alt="" />
            ) : (
              <span className="portal-mark" aria-hidden="true">
                {look.name?.charAt(0) ?? <Icon name="operational" />}
              </span>
            )}
            {look.name && <b className="cut">{look.name}</b>}
            <span className="dim">{t.portal.webhooks}</span>
            <span className="grow" />
            <span className="dim small cut">{appName}</span>
            {look.supportUrl && (
              <a className="link small" href={look.supportUrl} target="_blank" rel="noreferrer">
                {t.portal.support}
              </a>
            )}
            <Preferences />
          </div>
          <nav className="portal-tabs" aria-label={t.shell.places}>
            {tab('/', t.portal.endpoints)}
            {tab('/messages', t.shell.messages)}
            {tab('/dead-letters', t.shell.deadLetters)}
            {tab('/event-types', t.shell.eventTypes)}
          </nav>
        </div>
      </header>
      <main className="portal-width portal-main">
        <Outlet />
      </main>
    </>
  );
}
