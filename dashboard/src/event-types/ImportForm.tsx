// Imports event types from the `webhooks` of an OpenAPI document: first what would change, then the change.
import { Switch, Textarea } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../api/client';
import type { Schemas } from '../api/types';
import { Button } from '../design/controls/Button';
import { Failure } from '../design/feedback/Notice';
import { toast } from '../design/feedback/toast';
import { Panel, useAct } from '../design/layout/Dialog';
import { Tag } from '../design/values/State';
import { useT } from '../i18n';

export function ImportForm({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const t = useT();
  const queries = useQueryClient();
  const [text, setText] = useState('');
  const [replaceAll, setReplaceAll] = useState(false);
  const [found, setFound] = useState<Schemas['ImportDataOut'] | null>(null);
  const { isBusy, error, run } = useAct(() => {}, isOpen);
  const ask = async (dryRun: boolean) => {
    const { data } = await client.POST('/api/v1/event-type/import/openapi', {
      body: { specRaw: text, replaceAll, dryRun },
    });
    return data?.data ?? null;
  };
  const importNow = async () => {
    await ask(false);
    await queries.invalidateQueries();
    toast(t.eventTypes.imported);
    setFound(null);
    onClose();
  };
  const changed = found?.to_modify?.map((type) => type.name) ?? found?.modified ?? [];
  return (
    <Panel
      isOpen={isOpen}
      onClose={onClose}
      title={t.eventTypes.importTitle}
      footer={
        <>
          <span className="grow" />
          <Button
            isBusy={isBusy && !found}
            disabled={text.trim() === ''}
            onClick={() => run(async () => setFound(await ask(true)))}
          >
            {t.eventTypes.preview}
          </Button>
          <Button kind="primary" isBusy={isBusy} disabled={!found} onClick={() => run(importNow)}>
            {t.eventTypes.importAct(changed.length)}
          </Button>
        </>
      }
    >
      <p className="small dim">{t.eventTypes.importNote}</p>
      <Textarea
        label="OpenAPI"
        classNames={{ input: 'mono' }}
        rows={12}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setFound(null);
        }}
        data-autofocus
      />
      <Switch
        label={t.eventTypes.replaceAll}
        description={t.eventTypes.replaceAllNote}
        checked={replaceAll}
        onChange={(event) => {
          setReplaceAll(event.target.checked);
          setFound(null);
        }}
      />
      {error !== null && <Failure error={error} />}
      {found && (
        <div className="stack tight">
          <h3>{t.eventTypes.wouldChange(changed.length, found.archived.length)}</h3>
          <span className="tags">
            {[...changed, ...found.archived].map((name) => (
              <Tag key={name} mono>
                {name}
              </Tag>
            ))}
          </span>
        </div>
      )}
    </Panel>
  );
}
