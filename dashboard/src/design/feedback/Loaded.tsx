// Shows what a query brought; before that its skeleton, and its failure where there is nothing to show.
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Failure } from './Notice';

interface Props<Data> {
  query: UseQueryResult<Data, unknown>;
  /** In the size of what comes. */
  skeleton?: ReactNode;
  title?: string;
  children: (data: Data) => ReactNode;
}

export function Loaded<Data>({ query, skeleton, title, children }: Props<Data>) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error) return <Failure error={query.error} onRetry={() => query.refetch()} title={title} />;
  return <>{skeleton ?? <Skeleton height={240} />}</>;
}

/** A line below a heading, whose room is there before its text is. */
export function LateLine({ text, isAwaited }: { text: string | undefined; isAwaited: boolean }) {
  return <p aria-busy={isAwaited}>{text ?? '\u00a0'}</p>;
}

export function Skeleton({ height }: { height: number }) {
  return (
    <div style={{ height }} aria-hidden="true">
      <span className="skeleton block" />
    </div>
  );
}
