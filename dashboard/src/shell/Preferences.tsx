// Theme and language, chosen by each person and kept in the browser. Shared with the portal.
import { Menu } from '@mantine/core';
import type { ReactNode } from 'react';
import { Button } from '../design/controls/Button';
import { type Theme, useTheme, writeTheme } from '../design/theme/theme';
import { Icon, type IconName } from '../design/values/Icon';
import { type Locale, locales, useLanguage, useT } from '../i18n';

const themeIcons: Record<Theme, IconName> = { light: 'sun', dark: 'moon', system: 'system' };

export function Preferences({ children }: { children?: ReactNode }) {
  const t = useT();
  const theme = useTheme();
  const { locale, setLocale } = useLanguage();
  return (
    <Menu position="top-end" transitionProps={{ duration: 0 }}>
      <Menu.Target>
        <Button kind="quiet" small icon={themeIcons[theme]} iconOnly>
          {t.shell.preferences}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t.shell.theme}</Menu.Label>
        {(['light', 'dark', 'system'] as const).map((each) => (
          <Menu.Item
            key={each}
            leftSection={<Icon name={themeIcons[each]} small />}
            rightSection={each === theme && <Icon name="check" small />}
            onClick={() => writeTheme(each)}
          >
            {t.shell.themes[each]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>{t.shell.language}</Menu.Label>
        {(Object.keys(locales) as Locale[]).map((each) => (
          <Menu.Item
            key={each}
            lang={each}
            rightSection={each === locale && <Icon name="check" small />}
            onClick={() => setLocale(each)}
          >
            {locales[each]}
          </Menu.Item>
        ))}
        {children}
      </Menu.Dropdown>
    </Menu>
  );
}
