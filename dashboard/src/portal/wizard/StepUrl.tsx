// Step 1: where events are sent.
import { TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { client } from '../../api/client';
import { Button, ButtonLink } from '../../design/controls/Button';
import { Failure } from '../../design/feedback/Notice';
import { Card } from '../../design/layout/Card';
import { useT } from '../../i18n';
import { useUrl } from '../../navigation/url';

export function StepUrl() {
  const t = useT();
  const [url, setUrl] = useUrl();
  const [address, setAddress] = useState(url.url ?? '');
  const inbox = useMutation({
    meta: { showsItsErrors: true },
    mutationFn: async () => (await client.POST('/api/v1/inbox', { body: { answerStatus: 204 } })).data,
    onSuccess: (made) => made && setUrl({ step: 'types', url: made.url, inbox: made.id }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setUrl({ step: 'types', url: address.trim(), inbox: undefined });
  };
  return (
    <Card label={t.portal.steps[0]}>
      <form onSubmit={submit}>
        <div className="pad stack">
          <TextInput
            type="url"
            label={t.portal.urlLabel}
            description={t.portal.urlNote}
            placeholder="https://example.com/webhooks"
            value={address}
            onChange={(event) => setAddress(event.target.value)}
            required
            data-autofocus
          />
          <div>
            <button type="button" className="link small" disabled={inbox.isPending} onClick={() => inbox.mutate()}>
              {t.portal.inbox}
            </button>
            <p className="caption">{t.portal.inboxNote}</p>
          </div>
          {inbox.error && <Failure error={inbox.error} />}
        </div>
        <div className="wizard-foot">
          <ButtonLink to="/">{t.cancel}</ButtonLink>
          <span className="grow" />
          <Button kind="primary" type="submit">
            {t.portal.next}
          </Button>
        </div>
      </form>
    </Card>
  );
}
