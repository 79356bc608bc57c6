// The menu behind three dots, for what is done seldom.
import { Menu } from '@mantine/core';
import { useT } from '../../i18n';
import { Icon, type IconName } from '../values/Icon';
import { Button } from './Button';

export interface MoreItem {
  label: string;
  icon?: IconName;
  isDangerous?: boolean;
  onSelect: () => void;
}

export function More({ items, small }: { items: (MoreItem | false)[]; small?: boolean }) {
  const t = useT();
  const shown = items.filter((item) => item !== false);
  if (shown.length === 0) return null;
  return (
    <Menu position="bottom-end" transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <Button kind="quiet" icon="more" iconOnly small={small}>
          {t.more}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {shown.map((item) => (
          <Menu.Item
            key={item.label}
            className={item.isDangerous ? 'dead' : undefined}
            leftSection={item.icon && <Icon name={item.icon} small />}
            onClick={item.onSelect}
          >
            {item.label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
