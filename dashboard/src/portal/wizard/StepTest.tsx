// Step 3: a live test with four checks, the code that passes them, the secret, and what a wrong signature means.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { client } from '../../api/client';
import type { Endpoint } from '../../api/types';
import { Button } from '../../design/controls/Button';
import { Failure } from '../../design/feedback/Notice';
import { Card } from '../../design/layout/Card';
import { CheckExchanges, CheckList, passedChecks } from '../../endpoints/check/CheckList';
import { useCheck } from '../../endpoints/check/CheckPanel';
import { SignatureExplainer } from '../../endpoints/check/SignatureExplainer';
import { EndpointForm } from '../../endpoints/forms/EndpointForm';
import { InboxCard } from '../../endpoints/InboxCard';
import { useT } from '../../i18n';
import { usePermissions } from '../../navigation/permissions';
import { useUrl } from '../../navigation/url';
import { useAccess } from '../context';
import { SecretCard } from '../SecretCard';
import { Snippets } from '../Snippets';

export function StepTest({ endpoint }: { endpoint: Endpoint }) {
  const t = useT();
  const { appId } = useAccess();
  const [url, setUrl] = useUrl();
  const { may } = usePermissions();
  const queries = useQueryClient();
  const check = useCheck(appId, endpoint.id);
  const finish = useMutation({
    mutationFn: () =>
      client.PATCH('/api/v1/app/{app_id}/endpoint/{endpoint_id}', {
        params: { path: { app_id: appId, endpoint_id: endpoint.id } },
        body: { disabled: false },
      }),
    onSuccess: async () => {
      await queries.invalidateQueries();
      setUrl({ step: 'done' });
    },
  });
  const checks = check.data?.checks;
  const isPassed = passedChecks(checks) === 4;
  return (
    <div className="wizard">
      <Card title={t.portal.steps[2]} note={checks && t.portal.checksPassed(passedChecks(checks))}>
        <CheckList checks={checks} isRunning={check.isPending} />
        <div className="pad stack">
          {check.error && <Failure error={check.error} />}
          {checks ? (
            <CheckExchanges key={check.submittedAt} checks={checks} />
          ) : (
            <p className="small dim">{t.portal.created}</p>
          )}
        </div>
        <div className="wizard-foot">
          <Button kind="quiet" icon="edit" onClick={() => setUrl({ panel: 'edit' })}>
            {t.portal.change}
          </Button>
          <span className="grow" />
          {!isPassed && (
            <Button kind="quiet" isBusy={finish.isPending} onClick={() => finish.mutate()}>
              {t.portal.finishAnyway}
            </Button>
          )}
          {may('CreateAttempts') && (
            <Button
              kind={isPassed ? 'plain' : 'primary'}
              icon={checks ? 'replay' : 'play'}
              isBusy={check.isPending}
              onClick={() => check.mutate(null)}
            >
              {checks ? t.check.again : t.check.run}
            </Button>
          )}
          {isPassed && (
            <Button kind="primary" isBusy={finish.isPending} onClick={() => finish.mutate()}>
              {t.portal.finish}
            </Button>
          )}
        </div>
      </Card>
      <EndpointForm
        appId={appId}
        endpoint={endpoint}
        isOpen={url.panel === 'edit'}
        onClose={() => setUrl({ panel: undefined })}
      />
      <div className="stack">
        {url.inbox && <InboxCard inboxId={url.inbox} />}
        <Snippets />
        <SecretCard endpoint={endpoint} />
        {checks && <SignatureExplainer appId={appId} endpointId={endpoint.id} checks={checks} />}
      </div>
    </div>
  );
}
