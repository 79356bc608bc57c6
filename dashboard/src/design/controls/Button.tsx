// A button, and a link that looks like one.
import { createLink } from '@tanstack/react-router';
import type { AnchorHTMLAttributes, ButtonHTMLAttributes, ReactNode, Ref } from 'react';
import './button.css';
import { Icon, type IconName } from '../values/Icon';

interface Look {
  kind?: 'primary' | 'quiet' | 'danger' | 'plain';
  small?: boolean;
  icon?: IconName;
  /** Only the icon is shown; the label is read out. */
  iconOnly?: boolean;
  children: ReactNode;
}

function classOf({ kind = 'plain', small, iconOnly }: Look, more?: string): string {
  return ['button', kind, small && 'small', iconOnly && 'icon-only', more].filter(Boolean).join(' ');
}

function Content({ icon, iconOnly, children }: Look) {
  return (
    <>
      {icon && <Icon name={icon} small={!iconOnly} />}
      {iconOnly ? <span className="visually-hidden">{children}</span> : children}
    </>
  );
}

type ButtonProps = Look & ButtonHTMLAttributes<HTMLButtonElement> & { ref?: Ref<HTMLButtonElement>; isBusy?: boolean };

export function Button({ kind, small, icon, iconOnly, isBusy, children, className, disabled, ...rest }: ButtonProps) {
  const look = { kind, small, icon, iconOnly, children };
  return (
    <button
      type="button"
      {...rest}
      className={classOf(look, className)}
      disabled={disabled || isBusy}
      aria-busy={isBusy || undefined}
      title={iconOnly && typeof children === 'string' ? children : rest.title}
    >
      <Content {...look} />
    </button>
  );
}

type AnchorProps = Look & AnchorHTMLAttributes<HTMLAnchorElement> & { ref?: Ref<HTMLAnchorElement> };

export function ButtonAnchor({ kind, small, icon, iconOnly, children, className, ...rest }: AnchorProps) {
  const look = { kind, small, icon, iconOnly, children };
  return (
    <a {...rest} className={classOf(look, className)}>
      <Content {...look} />
    </a>
  );
}

export const ButtonLink = createLink(ButtonAnchor);
