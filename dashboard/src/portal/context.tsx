// What the portal knows from its link: the application, what is allowed, the look.
import { createContext, type ReactNode, useContext } from 'react';
import type { Access } from './access';

const Context = createContext<Access | null>(null);

export function AccessProvider({ access, children }: { access: Access; children: ReactNode }) {
  return <Context value={access}>{children}</Context>;
}

export function useAccess(): Access {
  const access = useContext(Context);
  if (!access) throw new Error('There is no AccessProvider above.');
  return access;
}
