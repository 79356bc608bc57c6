// Stops all dispatching, after saying what that means; and lets it go on.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { client } from '../api/client';
import type { UnderWay } from '../api/types';
import { Button } from '../design/controls/Button';
import { toast } from '../design/feedback/toast';
import { Ask } from '../design/layout/Dialog';
import { useT } from '../i18n';

export function PauseAll({
  isOpen,
  onClose,
  underWay,
}: {
  isOpen: boolean;
  onClose: () => void;
  underWay: UnderWay[];
}) {
  const t = useT();
  const queries = useQueryClient();
  const inFlight = underWay.find((each) => each.kind === 'in_flight')?.count ?? 0;
  const pause = async () => {
    await client.POST('/api/v1/admin/pause');
    await queries.invalidateQueries();
    toast(t.overview.pausedNow);
  };
  return (
    <Ask
      isOpen={isOpen}
      onClose={onClose}
      title={t.overview.pauseTitle}
      act={t.overview.pauseAct}
      isDangerous
      onAct={pause}
    >
      <p>{t.overview.pauseText(inFlight)}</p>
    </Ask>
  );
}

export function ResumeAll() {
  const t = useT();
  const queries = useQueryClient();
  const resume = useMutation({
    mutationFn: () => client.POST('/api/v1/admin/resume'),
    onSuccess: () => queries.invalidateQueries(),
  });
  return (
    <Button icon="play" isBusy={resume.isPending} onClick={() => resume.mutate()}>
      {t.overview.resume}
    </Button>
  );
}
