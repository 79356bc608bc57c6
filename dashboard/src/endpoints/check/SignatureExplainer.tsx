// "Does your signature differ?": paste what your code computed, and read which mistake it was.
import { TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { client } from '../../api/client';
import { Button } from '../../design/controls/Button';
import { Callout, Failure } from '../../design/feedback/Notice';
import { Card } from '../../design/layout/Card';
import { useT } from '../../i18n';
import type { Check } from './CheckList';

/** Id, timestamp and body of the genuine request: what the signature has to be made of. */
export function signedParts(checks: Check[]): { messageId: string; timestamp: number; payload: string } | null {
  const exchange = checks.find((check) => check.kind === 'genuine')?.exchange;
  if (!exchange) return null;
  const header = (name: string) => exchange.request.headers.find((each) => each.name === name)?.value;
  const [messageId, timestamp] = [header('webhook-id'), Number(header('webhook-timestamp'))];
  return messageId && timestamp ? { messageId, timestamp, payload: exchange.request.body ?? '' } : null;
}

export function SignatureExplainer({
  appId,
  endpointId,
  checks,
}: {
  appId: string;
  endpointId: string;
  checks: Check[];
}) {
  const t = useT();
  const [signature, setSignature] = useState('');
  const parts = signedParts(checks);
  const explain = useMutation({
    meta: { showsItsErrors: true },
    mutationFn: async () => {
      if (!parts) return undefined;
      const path = { app_id: appId, endpoint_id: endpointId };
      const { data } = await client.POST('/api/v1/app/{app_id}/endpoint/{endpoint_id}/signature/explain', {
        params: { path },
        body: { signature: signature.trim(), ...parts },
      });
      return data;
    },
  });
  if (!parts) return null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    explain.mutate();
  };
  const verdict = explain.data?.verdict;
  const also = explain.data?.also;
  return (
    <Card title={t.explain.title} padded>
      <form className="stack tight" onSubmit={submit}>
        <div className="row bottom">
          <TextInput
            className="grow"
            label={t.explain.paste}
            description={t.explain.pasteNote(parts.messageId)}
            value={signature}
            onChange={(event) => setSignature(event.target.value)}
            placeholder="v1,…"
            required
          />
          <Button type="submit" isBusy={explain.isPending}>
            {t.explain.submit}
          </Button>
        </div>
        {explain.error && <Failure error={explain.error} />}
        {verdict && (
          <Callout
            state={verdict === 'matches' ? 'delivered' : 'waiting'}
            icon={verdict === 'matches' ? 'delivered' : 'warning'}
            title={t.explain.verdicts[verdict][0]}
          >
            {t.explain.verdicts[verdict][1]}
            {also && <p>{t.explain.verdicts[also][1]}</p>}
          </Callout>
        )}
      </form>
    </Card>
  );
}
