// Makes a link that opens the portal for a tenant's developers, with what it allows and until when.
import { Checkbox, NativeSelect, Switch } from '@mantine/core';
import { useState } from 'react';
import { client } from '../api/client';
import type { Application, Capability } from '../api/types';
import { Button, ButtonAnchor } from '../design/controls/Button';
import { Failure } from '../design/feedback/Notice';
import { Panel, useAct } from '../design/layout/Dialog';
import { CopyButton } from '../design/values/Id';
import { useT } from '../i18n';

const hour = 3600;
const expiries = [hour, 24 * hour, 7 * 24 * hour, 30 * 24 * hour];
const choices: Capability[] = ['ManageEndpoint', 'ManageEndpointSecret', 'ViewEndpointSecret', 'CreateAttempts'];

export function PortalLink({
  isOpen,
  onClose,
  application,
}: {
  isOpen: boolean;
  onClose: () => void;
  application: Application;
}) {
  const t = useT();
  const [expiry, setExpiry] = useState(expiries[2] ?? hour);
  const [isReadOnly, setReadOnly] = useState(false);
  const [allowed, setAllowed] = useState<Capability[]>(choices);
  const [link, setLink] = useState<string | null>(null);
  const { isBusy, error, run } = useAct(() => {}, isOpen);
  const make = async () => {
    const capabilities: Capability[] = isReadOnly ? ['ViewBase'] : ['ViewBase', ...allowed];
    const { data } = await client.POST('/api/v1/auth/app-portal-access/{app_id}', {
      params: { path: { app_id: application.id } },
      body: { expiry, capabilities },
    });
    setLink(data?.url ?? null);
  };
  const toggle = (capability: Capability) =>
    setAllowed((now) => (now.includes(capability) ? now.filter((each) => each !== capability) : [...now, capability]));
  return (
    <Panel
      isOpen={isOpen}
      onClose={() => {
        setLink(null);
        onClose();
      }}
      title={t.portalLink.title}
      note={application.name}
      footer={
        <>
          <span className="grow" />
          <Button kind={link ? 'plain' : 'primary'} isBusy={isBusy} onClick={() => run(make)}>
            {link ? t.portalLink.another : t.portalLink.make}
          </Button>
        </>
      }
    >
      <NativeSelect
        label={t.portalLink.expiry}
        value={String(expiry)}
        onChange={(event) => setExpiry(Number(event.target.value))}
        data={expiries.map((value) => ({ value: String(value), label: t.portalLink.expiries(value / hour) }))}
      />
      <Switch
        label={t.portalLink.readOnly}
        description={t.portalLink.readOnlyNote}
        checked={isReadOnly}
        onChange={(event) => setReadOnly(event.target.checked)}
      />
      {!isReadOnly && (
        <fieldset className="plain-fieldset stack tight">
          <legend className="small medium">{t.portalLink.allows}</legend>
          {choices.map((capability) => (
            <Checkbox
              key={capability}
              label={t.portalLink.capabilities(capability)}
              checked={allowed.includes(capability)}
              onChange={() => toggle(capability)}
            />
          ))}
        </fieldset>
      )}
      {error !== null && <Failure error={error} />}
      {link && (
        <div className="stack tight">
          <p className="small medium">{t.portalLink.ready}</p>
          <div className="row">
            <code className="code grow cut">{link}</code>
            <CopyButton text={link} />
          </div>
          <p className="caption">{t.portalLink.secret}</p>
          <ButtonAnchor href={link} target="_blank" rel="noreferrer" icon="external">
            {t.portalLink.open}
          </ButtonAnchor>
        </div>
      )}
    </Panel>
  );
}
