// Whether an endpoint can take a replay now.

import { Callout } from '../design/feedback/Notice';
import type { IconName } from '../design/values/Icon';
import type { StateName } from '../design/values/states';
import { useNow } from '../design/values/Time';
import { endpointName } from '../endpoints/name';
import { useFormat, useT } from '../i18n';
import type { Preview } from './bulk';

type Target = Preview['endpoints'][number];
const looks: Record<Target['condition'], [StateName, IconName]> = {
  answers: ['delivered', 'delivered'],
  fails: ['dead', 'warning'],
  silent: ['cancelled', 'waiting'],
  disabled: ['held', 'held'],
  paused: ['held', 'held'],
  deleted: ['dead', 'warning'],
};

export function Condition({ endpoint }: { endpoint: Target }) {
  const t = useT();
  const format = useFormat();
  const now = useNow();
  const [state, icon] = looks[endpoint.condition];
  return (
    <Callout
      state={state}
      icon={icon}
      title={t.condition.title(endpoint.condition, `${endpoint.appName} · ${endpointName(endpoint.url)}`)}
    >
      {t.condition.text(endpoint, format, now)}
    </Callout>
  );
}
