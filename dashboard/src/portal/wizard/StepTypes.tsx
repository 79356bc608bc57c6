// Step 2: which events. The endpoint is added here, disabled until the person finishes, so that nothing is lost meanwhile.
import { Checkbox, Radio } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { client } from '../../api/client';
import { Button } from '../../design/controls/Button';
import { Skeleton } from '../../design/feedback/Loaded';
import { Failure } from '../../design/feedback/Notice';
import { Card } from '../../design/layout/Card';
import { useAllEventTypes } from '../../event-types/all';
import { useT } from '../../i18n';
import { useUrl } from '../../navigation/url';
import { useAccess } from '../context';

export function StepTypes() {
  const t = useT();
  const { appId } = useAccess();
  const [url, setUrl] = useUrl();
  const queries = useQueryClient();
  const [isAll, setAll] = useState(true);
  const [chosen, setChosen] = useState<string[]>([]);
  const types = useAllEventTypes();
  const add = useMutation({
    meta: { showsItsErrors: true },
    mutationFn: async () =>
      (
        await client.POST('/api/v1/app/{app_id}/endpoint', {
          params: { path: { app_id: appId } },
          body: { url: url.url ?? '', disabled: true, eventTypes: isAll ? null : chosen },
        })
      ).data,
    onSuccess: async (endpoint) => {
      await queries.invalidateQueries();
      if (endpoint) setUrl({ step: 'test', url: undefined, endpoint: endpoint.id });
    },
  });
  const toggle = (name: string) =>
    setChosen((now) => (now.includes(name) ? now.filter((each) => each !== name) : [...now, name]));
  return (
    <Card label={t.portal.steps[1]}>
      <div className="pad stack">
        <Radio.Group
          aria-label={t.portal.steps[1]}
          value={isAll ? 'all' : 'some'}
          onChange={(value) => setAll(value === 'all')}
        >
          <div className="stack tight">
            <Radio value="all" label={t.portal.chooseAll} />
            <Radio value="some" label={t.portal.chooseSome} />
          </div>
        </Radio.Group>
        {!isAll && (
          <div className="stack tight">
            {types.isPending && <Skeleton height={120} />}
            {types.data?.map((type) => (
              <Checkbox
                key={type.name}
                label={type.name}
                description={type.description}
                checked={chosen.includes(type.name)}
                onChange={() => toggle(type.name)}
              />
            ))}
          </div>
        )}
        {types.error && <Failure error={types.error} onRetry={types.refetch} />}
        {add.error && <Failure error={add.error} />}
      </div>
      <div className="wizard-foot">
        <Button onClick={() => setUrl({ step: 'url' })}>{t.portal.back}</Button>
        <span className="grow" />
        <Button
          kind="primary"
          isBusy={add.isPending}
          disabled={!isAll && chosen.length === 0}
          onClick={() => add.mutate()}
        >
          {t.portal.next}
        </Button>
      </div>
    </Card>
  );
}
