// Who did what to an object, beside it. A tenant does not see it.
import type { ReactNode } from 'react';
import { Card } from '../design/layout/Card';
import { useT } from '../i18n';
import { usePlaces } from '../navigation/places';
import { AuditList } from './AuditList';
import type { AuditFilter } from './AuditTable';

export function AuditCard({ filter, end }: { filter: AuditFilter; end?: ReactNode }) {
  const t = useT();
  const { isPortal } = usePlaces();
  if (isPortal) return null;
  return (
    <Card title={t.audit.whoDidWhat} end={end} padded>
      <AuditList filter={filter} />
    </Card>
  );
}
