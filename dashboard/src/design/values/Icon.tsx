// The icons: 16 px, drawn with a stroke of 1.5 px in the colour of the text beside them.
import type { ReactNode } from 'react';
import './icon.css';

const shapes = {
  alert: (
    <>
      <path d="M4 11V7.25a4 4 0 0 1 8 0V11l1.25 1.5H2.75zM6.75 14.25h2.5" />
    </>
  ),
  application: (
    <>
      <rect x="2.5" y="2.5" width="4.5" height="4.5" rx="1" />
      <rect x="9" y="2.5" width="4.5" height="4.5" rx="1" />
      <rect x="2.5" y="9" width="4.5" height="4.5" rx="1" />
      <rect x="9" y="9" width="4.5" height="4.5" rx="1" />
    </>
  ),
  audit: (
    <>
      <path d="M4 1.75h5.5L13 5.2v9.05H4z" />
      <path d="M9.2 1.9v3.6H13M6.3 8.5h4M6.3 11h4" />
    </>
  ),
  cancelled: (
    <>
      <circle cx="8" cy="8" r="6.25" />
      <path d="m3.8 12.2 8.4-8.4" />
    </>
  ),
  check: (
    <>
      <path d="m3.5 8.5 3 3 6-7" />
    </>
  ),
  chevronDown: (
    <>
      <path d="m4.5 6.5 3.5 3.5 3.5-3.5" />
    </>
  ),
  chevronRight: (
    <>
      <path d="m6.5 4.5 3.5 3.5-3.5 3.5" />
    </>
  ),
  copy: (
    <>
      <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
      <path d="M10.5 3.5v-.3A.7.7 0 0 0 9.8 2.5H3.2a.7.7 0 0 0-.7.7v6.6c0 .4.3.7.7.7h.3" />
    </>
  ),
  cross: (
    <>
      <path d="m4.5 4.5 7 7m0-7-7 7" />
    </>
  ),
  dead: (
    <>
      <path d="M5.4 1.9h5.2l3.5 3.5v5.2l-3.5 3.5H5.4l-3.5-3.5V5.4z" />
      <path d="m6 6 4 4m0-4-4 4" />
    </>
  ),
  deadLetter: (
    <>
      <path d="M2 9.5 3.8 3.7A1 1 0 0 1 4.8 3h6.4a1 1 0 0 1 1 .7L14 9.5V12a1 1 0 0 1-1 1H3a1 1 0 0 1-1-1z" />
      <path d="M2 9.5h3.5l1 1.5h3l1-1.5H14" />
    </>
  ),
  delivered: (
    <>
      <circle cx="8" cy="8" r="6.25" />
      <path d="m5.4 8.2 1.8 1.8 3.5-3.8" />
    </>
  ),
  edit: (
    <>
      <path d="m10.5 3 2.5 2.5L6 12.5l-3.25.75L3.5 10z" />
    </>
  ),
  eventType: (
    <>
      <path d="M3 2.5h8.5a1.5 1.5 0 0 1 1.5 1.5v9.5H4.5A1.5 1.5 0 0 1 3 12z" />
      <path d="M3 12a1.5 1.5 0 0 1 1.5-1.5H13M6 5.5h4" />
    </>
  ),
  external: (
    <>
      <path d="M6.5 3.5h-3v9h9v-3M9 3h4v4M13 3 7.5 8.5" />
    </>
  ),
  eye: (
    <>
      <path d="M1.5 8S4 3.75 8 3.75 14.5 8 14.5 8 12 12.25 8 12.25 1.5 8 1.5 8z" />
      <circle cx="8" cy="8" r="1.75" />
    </>
  ),
  filter: (
    <>
      <path d="M2.5 4h11M4.75 8h6.5M6.75 12h2.5" />
    </>
  ),
  gauge: (
    <>
      <path d="M2.5 12a5.5 5.5 0 1 1 11 0" />
      <path d="m8 12 2.6-3.4" />
    </>
  ),
  held: (
    <>
      <circle cx="8" cy="8" r="6.25" />
      <path d="M6.4 5.8v4.4M9.6 5.8v4.4" />
    </>
  ),
  help: (
    <>
      <circle cx="8" cy="8" r="6.25" />
      <path d="M6.3 6.3a1.75 1.75 0 1 1 2.5 1.6c-.5.25-.8.6-.8 1.2M8 11.1h.01" />
    </>
  ),
  inFlight: (
    <>
      <path d="M3.5 12.5 12.5 3.5M6 3.5h6.5V10" />
    </>
  ),
  inbox: (
    <>
      <path d="M2.5 8.5 8 13.5l5.5-5M8 13V2.5" />
    </>
  ),
  key: (
    <>
      <circle cx="5" cy="11" r="2.75" />
      <path d="m7 9 6.5-6.5M11 5l2 2M9 7l1.4 1.4" />
    </>
  ),
  link: (
    <>
      <path d="M6.75 9.25a2.5 2.5 0 0 0 3.6 0l2.1-2.1a2.55 2.55 0 0 0-3.6-3.6l-.75.75M9.25 6.75a2.5 2.5 0 0 0-3.6 0l-2.1 2.1a2.55 2.55 0 0 0 3.6 3.6l.75-.75" />
    </>
  ),
  menu: (
    <>
      <path d="M2.5 4.5h11M2.5 8h11M2.5 11.5h11" />
    </>
  ),
  message: (
    <>
      <rect x="1.75" y="3" width="12.5" height="10" rx="1.5" />
      <path d="m2.2 4 5.8 4.7L13.8 4" />
    </>
  ),
  minus: (
    <>
      <path d="M4 8h8" />
    </>
  ),
  moon: (
    <>
      <path d="M13 9.6A5.6 5.6 0 0 1 6.4 3 5.6 5.6 0 1 0 13 9.6z" />
    </>
  ),
  more: (
    <>
      <path d="M3.5 8h.01M8 8h.01M12.5 8h.01" strokeWidth="2.2" />
    </>
  ),
  node: (
    <>
      <rect x="2" y="2.5" width="12" height="4.5" rx="1" />
      <rect x="2" y="9" width="12" height="4.5" rx="1" />
      <path d="M4.5 4.75h.01M4.5 11.25h.01" />
    </>
  ),
  operational: (
    <>
      <path d="M2 6.5v3l7.5 3.2V3.3z" />
      <path d="M12 6a2.6 2.6 0 0 1 0 4M4.5 10.6V13H7v-1.3" />
    </>
  ),
  overview: (
    <>
      <path d="M2 13h12M4 13V8m4 5V3m4 10V6" />
    </>
  ),
  people: (
    <>
      <circle cx="6" cy="5.5" r="2.25" />
      <path d="M1.8 13c.3-2.6 2-4 4.2-4s3.9 1.4 4.2 4M10.5 3.5a2.2 2.2 0 0 1 0 4M11.8 9.4c1.4.5 2.2 1.8 2.4 3.6" />
    </>
  ),
  play: (
    <>
      <path d="M5 3.2v9.6L12.6 8z" />
    </>
  ),
  plus: (
    <>
      <path d="M8 3.5v9M3.5 8h9" />
    </>
  ),
  portal: (
    <>
      <rect x="2" y="2.5" width="12" height="11" rx="1.25" />
      <path d="M2 5.75h12M4.25 4.15h.01M6 4.15h.01" />
    </>
  ),
  replay: (
    <>
      <path d="M13.2 6.5A5.5 5.5 0 1 0 13.5 9" />
      <path d="M13.6 2.8v3.8H9.8" />
    </>
  ),
  search: (
    <>
      <circle cx="7" cy="7" r="4.5" />
      <path d="m10.5 10.5 3.25 3.25" />
    </>
  ),
  settings: (
    <>
      <path d="M2 5h7m3 0h2M2 11h2m3 0h7" />
      <circle cx="10.5" cy="5" r="1.5" />
      <circle cx="5.5" cy="11" r="1.5" />
    </>
  ),
  signOut: (
    <>
      <path d="M6.5 2.5H3.75a1 1 0 0 0-1 1v9a1 1 0 0 0 1 1H6.5M10.25 11 13.25 8l-3-3M13 8H6.25" />
    </>
  ),
  stop: (
    <>
      <rect x="4" y="4" width="8" height="8" rx="1" />
    </>
  ),
  sun: (
    <>
      <circle cx="8" cy="8" r="2.75" />
      <path d="M8 1.75v1.5M8 12.75v1.5M1.75 8h1.5M12.75 8h1.5M3.6 3.6l1 1M11.4 11.4l1 1M3.6 12.4l1-1M11.4 4.6l1-1" />
    </>
  ),
  system: (
    <>
      <rect x="2" y="2.75" width="12" height="8.5" rx="1.25" />
      <path d="M5.75 13.5h4.5" />
    </>
  ),
  task: (
    <>
      <path d="M6 4h8M6 8h8M6 12h8" />
      <path d="m1.8 4 .8.8L4 3.3M1.8 8l.8.8L4 7.3M1.8 12l.8.8L4 11.3" />
    </>
  ),
  trash: (
    <>
      <path d="M3 4.5h10M6.25 4.25V2.75h3.5v1.5M4.25 4.75l.6 8.5h6.3l.6-8.5" />
    </>
  ),
  waiting: (
    <>
      <circle cx="8" cy="8" r="6.25" />
      <path d="M8 4.6V8l2.2 1.6" />
    </>
  ),
  warning: (
    <>
      <path d="M8 2 14.5 13.5h-13z" />
      <path d="M8 6.5v3M8 11.6h.01" />
    </>
  ),
} satisfies Record<string, ReactNode>;

export type IconName = keyof typeof shapes;

export function Icon({ name, small }: { name: IconName; small?: boolean }) {
  return (
    <svg className={small ? 'icon small' : 'icon'} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      {shapes[name]}
    </svg>
  );
}
