// What stands around every view: navigation, palette, help, and on narrow screens a bar with a burger.
import { Drawer } from '@mantine/core';
import { Outlet, useRouterState } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from 'react';
import { Button } from '../design/controls/Button';
import { useKeys } from '../design/tables/keys';
import { useT } from '../i18n';
import { PermissionsProvider } from '../navigation/permissions';
import { NavContent, useShell } from './Nav';
import './shell.css';

const Palette = lazy(() => import('./Palette').then((module) => ({ default: module.Palette })));
const Help = lazy(() => import('./Help').then((module) => ({ default: module.Help })));

export function Shell() {
  const t = useT();
  const [open, setOpen] = useState<'palette' | 'help' | 'nav' | null>(null);
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const close = () => setOpen(null);
  const isOperator = useShell().session.role === 'operator';
  const permissions = useMemo(() => ({ may: () => true, isOperator }), [isOperator]);

  useKeys({ '?': () => setOpen('help') });
  useEffect(() => {
    const listener = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.metaKey || event.ctrlKey)) return;
      event.preventDefault();
      setOpen((now) => (now === 'palette' ? null : 'palette'));
    };
    document.addEventListener('keydown', listener);
    return () => document.removeEventListener('keydown', listener);
  }, []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another path is what closes it.
  useEffect(() => setOpen((now) => (now === 'nav' ? null : now)), [path]);

  return (
    <div className="shell">
      <button type="button" className="skip-link" onClick={() => main.current?.focus()}>
        {t.shell.skip}
      </button>
      <div className="nav only-wide">
        <NavContent onPalette={() => setOpen('palette')} onHelp={() => setOpen('help')} />
      </div>
      <header className="top-bar only-narrow">
        <Button kind="quiet" icon="menu" iconOnly onClick={() => setOpen('nav')}>
          {t.shell.places}
        </Button>
        <b className="grow">Postrider</b>
        <Button kind="quiet" icon="search" iconOnly onClick={() => setOpen('palette')}>
          {t.shell.search}
        </Button>
      </header>
      <Drawer
        opened={open === 'nav'}
        onClose={close}
        size={280}
        title="Postrider"
        lockScroll={false}
        transitionProps={{ duration: 0 }}
        closeButtonProps={{ 'aria-label': t.close }}
      >
        <div className="nav in-drawer">
          <NavContent onPalette={() => setOpen('palette')} onHelp={() => setOpen('help')} />
        </div>
      </Drawer>
      <main className="main" id="main" ref={main} tabIndex={-1}>
        <PermissionsProvider permissions={permissions}>
          <Outlet />
        </PermissionsProvider>
      </main>
      <Suspense>
        {open === 'palette' && <Palette onClose={close} onHelp={() => setOpen('help')} />}
        {open === 'help' && <Help onClose={close} />}
      </Suspense>
    </div>
  );
}
