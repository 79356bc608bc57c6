// Surfaces and the order on a page: a card, a section with a heading, a page's head.
import type { ReactNode } from 'react';
import './card.css';

interface CardProps {
  title?: ReactNode;
  note?: ReactNode;
  end?: ReactNode;
  label?: string;
  children: ReactNode;
  padded?: boolean;
  className?: string;
}

export function Card({ title, note, end, label, children, padded, className }: CardProps) {
  return (
    <section
      className={`card ${className ?? ''}`}
      aria-label={label ?? (typeof title === 'string' ? title : undefined)}
    >
      {title !== undefined && (
        <header>
          <h2>{title}</h2>
          {note && <span className="caption">{note}</span>}
          {end && <span className="end">{end}</span>}
        </header>
      )}
      {padded ? <div className="pad">{children}</div> : children}
    </section>
  );
}

export function Section({
  title,
  note,
  end,
  children,
}: {
  title: string;
  note?: ReactNode;
  end?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="section" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {note && <span className="caption">{note}</span>}
        {end && <span className="end">{end}</span>}
      </header>
      {children}
    </section>
  );
}

interface HeadProps {
  title: ReactNode;
  crumbs?: ReactNode;
  live?: ReactNode;
  actions?: ReactNode;
  children?: ReactNode;
}

export function PageHead({ title, crumbs, live, actions, children }: HeadProps) {
  return (
    <>
      {(crumbs || live) && (
        <div className="crumbs">
          <nav className="crumb-list">{crumbs}</nav>
          {live}
        </div>
      )}
      <div className="page-head">
        <div className="grow">
          <h1 title={typeof title === 'string' ? title : undefined}>{title}</h1>
          {children}
        </div>
        {actions && <div className="actions">{actions}</div>}
      </div>
    </>
  );
}

export function Facts({ rows }: { rows: [ReactNode, ReactNode][] }) {
  return (
    <dl className="facts">
      {rows.map(([name, value], place) => (
        <div key={place}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
