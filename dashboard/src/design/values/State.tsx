// The state of a delivery: a word, an icon and a colour. A badge in headers, a word in tables.
import { useT } from '../../i18n';
import { Icon, type IconName } from './Icon';
import { type StateName, stateIcons } from './states';
import './state.css';

interface Props {
  state: StateName;
  /** Another word for it, such as a reason that narrows it. */
  word?: string;
  icon?: IconName;
}

export function StateBadge({ state, word, icon }: Props) {
  const t = useT();
  return (
    <span className={`badge ${state}`}>
      <Icon name={icon ?? stateIcons[state]} small />
      {word ?? t.states[state]}
    </span>
  );
}

export function StateWord({ state, word, icon }: Props) {
  const t = useT();
  return (
    <span className={`state ${state}`}>
      <Icon name={icon ?? stateIcons[state]} />
      {word ?? t.states[state]}
    </span>
  );
}

export function Tag({ children, mono }: { children: string; mono?: boolean }) {
  return <span className={mono ? 'tag mono' : 'tag'}>{children}</span>;
}
