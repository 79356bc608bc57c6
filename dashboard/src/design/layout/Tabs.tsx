// Tabs that are links: each one is a URL.
import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, ReactNode, Ref } from 'react';
import './tabs.css';

export function Tabs({ label, end, children }: { label: string; end?: ReactNode; children: ReactNode }) {
  return (
    <div className="tab-bar">
      <nav className="tabs" aria-label={label}>
        {children}
      </nav>
      {end}
    </div>
  );
}

interface AnchorProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  ref?: Ref<HTMLAnchorElement>;
  isCurrent: boolean;
}

function Anchor({ ref, isCurrent, ...props }: AnchorProps) {
  return <a ref={ref} {...props} aria-current={isCurrent ? 'page' : undefined} />;
}

export const TabLink = createLink(Anchor);
