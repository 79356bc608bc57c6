// A number with its name, a line that explains it, and a small chart. It is a door: a click opens what was counted.
import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, ReactNode, Ref } from 'react';
import './figure.css';
import { Icon, type IconName } from '../values/Icon';
import type { StateName } from '../values/states';

interface Props {
  icon: IconName;
  tone?: StateName;
  name: string;
  value: ReactNode;
  unit?: string;
  detail?: ReactNode;
  chart?: ReactNode;
}

export function Figure({
  icon,
  tone,
  name,
  value,
  unit,
  detail,
  chart,
  ref,
  ...anchor
}: Props & AnchorHTMLAttributes<HTMLAnchorElement> & { ref?: Ref<HTMLAnchorElement> }) {
  const content = (
    <>
      <span className="figure-name">
        <span className={tone}>
          <Icon name={icon} small />
        </span>
        {name}
      </span>
      <span className="figure-value">
        {value}
        {unit && <small> {unit}</small>}
      </span>
      <span className="figure-detail">{detail ?? '\u00a0'}</span>
      {chart}
    </>
  );
  if (!anchor.href) return <div className="figure">{content}</div>;
  return (
    <a ref={ref} {...anchor} className="figure">
      {content}
    </a>
  );
}

export const FigureLink = createLink(Figure);

export function Figures({ children, count = 6 }: { children: ReactNode; count?: 4 | 5 | 6 }) {
  return <div className={`card figures of-${count}`}>{children}</div>;
}
