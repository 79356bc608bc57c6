// What an operator sees of an installation that has no environment yet: making the first one.
import { TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { client } from '../api/client';
import { Button } from '../design/controls/Button';
import { Failure } from '../design/feedback/Notice';
import { useAct } from '../design/layout/Dialog';
import { useT } from '../i18n';
import '../sign-in/sign-in.css';
import { Preferences } from './Preferences';

const prefix = 'org_';

export function FirstEnvironmentView() {
  const t = useT();
  const navigate = useNavigate();
  const [name, setName] = useState('production');
  const id = prefix + name.trim();
  const { isBusy, error, run } = useAct(() => void navigate({ to: '/', search: { env: id } as never }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void run(() => client.POST('/api/v1/admin/environment', { body: { id } }));
  };
  return (
    <main className="sign-in">
      <form className="sign-in-card card" onSubmit={submit}>
        <h1>{t.firstEnvironment.title}</h1>
        <p>{t.firstEnvironment.text}</p>
        {error !== null && <Failure error={error} />}
        <TextInput
          label={t.name}
          description={t.firstEnvironment.nameNote(id)}
          value={name}
          onChange={(event) => setName(event.target.value)}
          pattern="[A-Za-z0-9_\-]{1,64}"
          required
          data-autofocus
        />
        <Button type="submit" kind="primary" isBusy={isBusy}>
          {t.firstEnvironment.make}
        </Button>
      </form>
      <footer className="sign-in-foot">
        <Preferences />
      </footer>
    </main>
  );
}
