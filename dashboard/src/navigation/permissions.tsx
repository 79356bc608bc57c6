// What the caller may do. The console's people may do all of their role; a portal's token says what it allows.
import { createContext, type ReactNode, useContext } from 'react';
import type { Capability } from '../api/types';

export interface Permissions {
  may: (capability: Capability) => boolean;
  isOperator: boolean;
}

const Context = createContext<Permissions>({ may: () => false, isOperator: false });

export function PermissionsProvider({ permissions, children }: { permissions: Permissions; children: ReactNode }) {
  return <Context value={permissions}>{children}</Context>;
}

export function usePermissions(): Permissions {
  return useContext(Context);
}

/** A token without a list allows everything that is the tenant's own. To manage endpoints is to manage their secrets. */
export function permissionsOf(capabilities: Capability[] | null | undefined): Permissions {
  const implied: Partial<Record<Capability, Capability[]>> = {
    ViewEndpointSecret: ['ManageEndpointSecret', 'ManageEndpoint'],
    ManageEndpointSecret: ['ManageEndpoint'],
  };
  return {
    isOperator: false,
    may: (capability) =>
      !capabilities || [capability, ...(implied[capability] ?? [])].some((each) => capabilities.includes(each)),
  };
}
