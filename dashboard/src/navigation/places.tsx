// Where things are shown. Console and portal share views, and each has its own paths.
import { Link, type LinkProps } from '@tanstack/react-router';
import { type AnchorHTMLAttributes, createContext, type ReactNode, useContext } from 'react';

export interface Places {
  application: (appId: string) => string | null;
  endpoint: (appId: string, endpointId: string) => string;
  message: (appId: string, msgId: string) => string;
  deadLetter: (id: string) => string;
  eventType: (name: string) => string;
  isPortal: boolean;
}

export const consolePlaces: Places = {
  application: (appId) => `/applications/${appId}`,
  endpoint: (appId, endpointId) => `/applications/${appId}/endpoints/${endpointId}`,
  message: (appId, msgId) => `/applications/${appId}/messages/${msgId}`,
  deadLetter: (id) => `/dead-letters/${id}`,
  eventType: (name) => `/event-types/${name}`,
  isPortal: false,
};

export const portalPlaces: Places = {
  application: () => null,
  endpoint: (_appId, endpointId) => `/endpoints/${endpointId}`,
  message: (_appId, msgId) => `/messages/${msgId}`,
  deadLetter: (id) => `/dead-letters/${id}`,
  eventType: (name) => `/event-types/${name}`,
  isPortal: true,
};

const Context = createContext<Places>(consolePlaces);

export function PlacesProvider({ places, children }: { places: Places; children: ReactNode }) {
  return <Context value={places}>{children}</Context>;
}

export function usePlaces(): Places {
  return useContext(Context);
}

type GoProps = Omit<AnchorHTMLAttributes<HTMLAnchorElement>, 'href'> & {
  to: string;
  search?: Record<string, string | undefined>;
  /** This link opens its row. */
  opens?: boolean;
  activeProps?: LinkProps['activeProps'];
  activeOptions?: LinkProps['activeOptions'];
};

/** A link to a place, with its filters. */
export function Go({ to, search, opens, className = 'title', activeOptions = { exact: true }, ...rest }: GoProps) {
  return (
    <Link
      to={to}
      search={(search ?? {}) as never}
      className={className}
      data-open={opens || undefined}
      activeOptions={activeOptions}
      {...rest}
    />
  );
}
