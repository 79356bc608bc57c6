// How the portal looks to tenants: name, logo, accent, links; with a preview beside it.
import { TagsInput, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useRef, useState } from 'react';
import { publicPath } from '../api/base';
import { api, client } from '../api/client';
import type { Schemas } from '../api/types';
import { Button } from '../design/controls/Button';
import { Loaded } from '../design/feedback/Loaded';
import { Failure } from '../design/feedback/Notice';
import { toast } from '../design/feedback/toast';
import { Card, PageHead } from '../design/layout/Card';
import { useAct } from '../design/layout/Dialog';
import { useT } from '../i18n';
import { contrast } from './contrast';
import './portal-look.css';

type Look = Schemas['LookOut'];
const usual = { light: '#3a4fd0', dark: '#5468e7' };
const logoBytes = 64 * 1024;

export function PortalLookView() {
  const t = useT();
  const query = api.useQuery('get', '/api/v1/portal/look');
  return (
    <>
      <PageHead title={t.shell.portalLook}>
        <p>{t.look.note}</p>
      </PageHead>
      <Loaded query={query}>{(look) => <LookForm look={look} />}</Loaded>
    </>
  );
}

async function base64Of(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
}

function LookForm({ look }: { look: Look }) {
  const t = useT();
  const file = useRef<HTMLInputElement>(null);
  const queries = useQueryClient();
  const [form, setForm] = useState({
    name: look.name ?? '',
    accentLight: look.accentLight ?? '',
    accentDark: look.accentDark ?? '',
    supportUrl: look.supportUrl ?? '',
    refreshUrl: look.refreshUrl ?? '',
    embedOrigins: look.embedOrigins,
  });
  const [isLogoTooLarge, setLogoTooLarge] = useState(false);
  const [logo, setLogo] = useState<{ base64: string | null; shown: string | null } | null>(null);
  const { isBusy, error, run } = useAct(() => {});
  const set = (change: Partial<typeof form>) => setForm((now) => ({ ...now, ...change }));
  const shownLogo = logo ? logo.shown : look.logoUrl && publicPath(look.logoUrl);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(async () => {
      const body = {
        name: form.name.trim() || null,
        accentLight: form.accentLight || null,
        accentDark: form.accentDark || null,
        supportUrl: form.supportUrl.trim() || null,
        refreshUrl: form.refreshUrl.trim() || null,
        embedOrigins: form.embedOrigins,
        ...(logo && { logo: logo.base64 }),
      };
      await client.PUT('/api/v1/portal/look', { body });
      toast(t.look.saved);
      await queries.invalidateQueries();
    });
  };
  const pick = async (file: File | undefined) => {
    if (!file) return;
    setLogoTooLarge(file.size > logoBytes);
    if (file.size > logoBytes) return;
    const base64 = await base64Of(file);
    setLogo({ base64, shown: `data:${file.type};base64,${base64}` });
  };
  const weak = (colour: string, ground: string, least: number) =>
    isColour(colour) && contrast(colour, ground) < least && t.look.weak;
  return (
    <div className="columns half">
      <Card title={t.look.settings} padded>
        <form className="stack" onSubmit={submit}>
          <TextInput
            label={t.look.name}
            description={t.look.nameNote}
            value={form.name}
            onChange={(event) => set({ name: event.target.value })}
            maxLength={80}
          />
          <div className="stack tight">
            <span className="small medium">{t.look.logo}</span>
            <div className="row">
              {shownLogo && <img className="look-logo" src={shownLogo} alt="" />}
              {/* The browser's own field speaks the browser's language. */}
              <input
                ref={file}
                type="file"
                hidden
                accept="image/png,image/jpeg,image/webp"
                onChange={(event) => pick(event.target.files?.[0])}
              />
              <Button small onClick={() => file.current?.click()}>
                {t.look.chooseLogo}
              </Button>
              {shownLogo && (
                <Button small onClick={() => setLogo({ base64: null, shown: null })}>
                  {t.look.removeLogo}
                </Button>
              )}
            </div>
            {isLogoTooLarge && (
              <p className="small dead" role="alert">
                {t.look.logoTooLarge}
              </p>
            )}
          </div>
          <Colour
            label={t.look.accentLight}
            usual={usual.light}
            value={form.accentLight}
            onChange={(accentLight) => set({ accentLight })}
            error={weak(form.accentLight, '#ffffff', 4.5)}
          />
          <Colour
            label={t.look.accentDark}
            usual={usual.dark}
            value={form.accentDark}
            onChange={(accentDark) => set({ accentDark })}
            error={weak(form.accentDark, '#15161a', 3)}
          />
          <TextInput
            label={t.look.support}
            description={t.look.supportNote}
            value={form.supportUrl}
            onChange={(event) => set({ supportUrl: event.target.value })}
          />
          <TextInput
            label={t.look.refresh}
            description={t.look.refreshNote}
            type="url"
            value={form.refreshUrl}
            onChange={(event) => set({ refreshUrl: event.target.value })}
          />
          <TagsInput
            label={t.look.embed}
            description={t.look.embedNote}
            value={form.embedOrigins}
            onChange={(embedOrigins) => set({ embedOrigins })}
            placeholder="https://app.example.com"
          />
          {error !== null && <Failure error={error} />}
          <div className="row">
            <span className="grow" />
            <Button kind="primary" type="submit" isBusy={isBusy}>
              {t.save}
            </Button>
          </div>
        </form>
      </Card>
      <div className="stack">
        <LookPreview theme="light" name={form.name} logo={shownLogo} accent={form.accentLight || usual.light} />
        <LookPreview theme="dark" name={form.name} logo={shownLogo} accent={form.accentDark || usual.dark} />
      </div>
    </div>
  );
}

function isColour(text: string): boolean {
  return /^#[0-9a-f]{6}$/.test(text);
}

interface ColourProps {
  label: string;
  usual: string;
  value: string;
  onChange: (value: string) => void;
  error: string | false;
}

function Colour({ label, usual: fallback, value, onChange, error }: ColourProps) {
  const shown = isColour(value) ? value : fallback;
  return (
    <TextInput
      label={label}
      placeholder={fallback}
      value={value}
      onChange={(event) => onChange(event.target.value.toLowerCase())}
      pattern="#[0-9a-f]{6}"
      error={error}
      rightSection={
        <input
          type="color"
          className="look-colour"
          aria-label={label}
          value={shown}
          onChange={(event) => onChange(event.target.value)}
        />
      }
    />
  );
}

function LookPreview({
  theme,
  name,
  logo,
  accent,
}: {
  theme: 'light' | 'dark';
  name: string;
  logo: string | null;
  accent: string;
}) {
  const t = useT();
  return (
    <section className="card look-preview" data-theme={theme} aria-label={t.shell.themes[theme]}>
      <div className="row">
        {logo ? (
          <img className="look-logo" src={logo} alt="" />
        ) : (
          <span className="look-mark" style={{ background: accent }} />
        )}
        <b className="cut">{name || t.look.unnamed}</b>
        <span className="dim">{t.portal.webhooks}</span>
      </div>
      <div className="row">
        <span className="look-tab" style={{ borderColor: accent }}>
          {t.portal.endpoints}
        </span>
        <span className="dim small">{t.shell.messages}</span>
        <span className="grow" />
        <span className="look-button" style={{ background: accent }}>
          {t.portal.add}
        </span>
      </div>
    </section>
  );
}
