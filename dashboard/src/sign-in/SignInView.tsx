// Signing in: an API key or token becomes a session; a one-time link does so by itself; people go to their provider.
import { PasswordInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useEffect, useState } from 'react';
import { basePath } from '../api/base';
import { api, client } from '../api/client';
import { isStatus } from '../api/error';
import type { Schemas } from '../api/types';
import { Button, ButtonAnchor } from '../design/controls/Button';
import { Callout, Failure } from '../design/feedback/Notice';
import { useAct } from '../design/layout/Dialog';
import { useT } from '../i18n';
import { useUrl } from '../navigation/url';
import { Preferences } from '../shell/Preferences';
import { begin } from '../shell/session';
import './sign-in.css';

/** A path within the console, so that no link leads people elsewhere after they signed in. */
export function safeReturn(wanted: string | undefined): string {
  return wanted && /^\/(?![/\\])/.test(wanted) ? wanted : '/';
}

export function SignInView() {
  const t = useT();
  const [url] = useUrl();
  const navigate = useNavigate();
  const [credential, setCredential] = useState('');
  const options = api.useQuery('get', '/api/v1/session/options');
  const target = safeReturn(url.return_to);
  const { isBusy, error, run } = useAct(() => void navigate({ href: target, replace: true }));

  const signIn = (body: Schemas['SessionIn']) =>
    run(async () => {
      const { data } = await client.POST('/api/v1/session', { body });
      if (data) begin(data);
    });

  // A link is exchanged when the page opens with it, or when it is put into the address of the open page.
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is exchanged once, however often this is drawn.
  useEffect(() => {
    const exchange = () => {
      const link = new URLSearchParams(location.hash.slice(1)).get('link');
      if (!link) return;
      history.replaceState(history.state, '', location.pathname + location.search);
      void signIn({ link });
    };
    exchange();
    addEventListener('hashchange', exchange);
    return () => removeEventListener('hashchange', exchange);
  }, []);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    void signIn({ credential: credential.trim() });
  };
  const oidc = options.data?.oidc;
  return (
    <main className="sign-in">
      <div className="sign-in-card card">
        <span className="nav-mark">
          <svg viewBox="0 0 14 14" aria-hidden="true">
            <path d="M2.5 12V2.5h5a3 3 0 0 1 0 6H2.5" />
            <path d="m8 8.5 3.5 3.5" />
          </svg>
        </span>
        <h1>{t.signIn.title}</h1>
        {url.problem && <Callout state="dead" title={t.signIn.problems(url.problem)} />}
        {error !== null && <SignInFailure error={error} />}
        {oidc && (
          <>
            <ButtonAnchor
              kind="primary"
              href={`${basePath}/api/v1/session/oidc/start?return_to=${encodeURIComponent(basePath + target)}`}
            >
              {t.signIn.with(oidc.name)}
            </ButtonAnchor>
            <div className="sign-in-or">{t.signIn.or}</div>
          </>
        )}
        <form className="stack" onSubmit={submit}>
          <PasswordInput
            label={t.signIn.credential}
            description={t.signIn.credentialNote}
            value={credential}
            onChange={(event) => setCredential(event.target.value)}
            autoComplete="current-password"
            required
            visibilityToggleButtonProps={{ 'aria-label': t.signIn.show }}
            data-autofocus
          />
          <Button type="submit" kind={oidc ? 'plain' : 'primary'} isBusy={isBusy}>
            {t.signIn.submit}
          </Button>
        </form>
        <p className="caption">{t.signIn.noKey}</p>
        <pre className="code">postrider console link</pre>
      </div>
      <footer className="sign-in-foot">
        <span className="caption">{options.data ? `Postrider ${options.data.version}` : ''}</span>
        <Preferences />
      </footer>
    </main>
  );
}

function SignInFailure({ error }: { error: unknown }) {
  const t = useT();
  if (isStatus(error, 401))
    return (
      <Callout state="dead" title={t.signIn.refused}>
        {t.signIn.refusedNote}
      </Callout>
    );
  if (isStatus(error, 403))
    return (
      <Callout state="dead" title={t.signIn.tenant}>
        {t.signIn.tenantNote}
      </Callout>
    );
  if (isStatus(error, 429)) return <Callout state="dead" title={t.signIn.tooMany} />;
  return <Failure error={error} />;
}
