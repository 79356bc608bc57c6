// A path that leads to no view.
import { ButtonLink } from '../design/controls/Button';
import { Empty } from '../design/feedback/Notice';
import { useT } from '../i18n';

export function Nowhere() {
  const t = useT();
  return (
    <Empty icon="search" title={t.nowhere.title} action={<ButtonLink to="/">{t.shell.overview}</ButtonLink>}>
      {t.nowhere.text}
    </Empty>
  );
}
