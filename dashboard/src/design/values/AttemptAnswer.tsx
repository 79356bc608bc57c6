// What a receiver answered, or why there is no answer, in the colour of success or failure.
import type { Attempt } from '../../api/types';
import { useT } from '../../i18n';

export function AttemptAnswer({ attempt }: { attempt: Attempt }) {
  const t = useT();
  return (
    <span className={attempt.status === 0 ? 'delivered medium' : 'dead medium'}>
      {t.answer(attempt.responseStatusCode, attempt.failure)}
    </span>
  );
}
