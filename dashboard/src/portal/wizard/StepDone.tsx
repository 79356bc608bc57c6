// Step 4: the endpoint receives.
import type { Endpoint } from '../../api/types';
import { ButtonLink } from '../../design/controls/Button';
import { Empty } from '../../design/feedback/Notice';
import { Card } from '../../design/layout/Card';
import { useT } from '../../i18n';

export function StepDone({ endpoint }: { endpoint: Endpoint }) {
  const t = useT();
  return (
    <Card label={t.portal.steps[3]}>
      <Empty
        icon="delivered"
        title={t.portal.doneTitle}
        action={
          <ButtonLink kind="primary" to={`/endpoints/${endpoint.id}`}>
            {t.portal.open}
          </ButtonLink>
        }
      >
        {t.portal.doneText}
      </Empty>
    </Card>
  );
}
