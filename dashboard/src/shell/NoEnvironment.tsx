// The link names an environment that is not there.
import { basePath } from '../api/base';
import { ButtonAnchor } from '../design/controls/Button';
import { Empty } from '../design/feedback/Notice';
import { useT } from '../i18n';

export function NoEnvironment() {
  const t = useT();
  return (
    <main className="main">
      <Empty
        title={t.nowhere.noEnvironment}
        action={<ButtonAnchor href={`${basePath}/`}>{t.shell.overview}</ButtonAnchor>}
      >
        {t.nowhere.text}
      </Empty>
    </main>
  );
}
