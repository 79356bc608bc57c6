// How to check a signature, in eight languages.
import { useId, useState } from 'react';
import { Card } from '../design/layout/Card';
import { CopyButton } from '../design/values/Id';
import { useT } from '../i18n';
import './portal.css';
import { type Language, languages, snippets, untested } from './snippets';

const storageKey = 'postrider.language';

export function Snippets() {
  const t = useT();
  const id = useId();
  const [language, setLanguage] = useState<Language>(
    () => languages.find((each) => each === localStorage.getItem(storageKey)) ?? 'Node',
  );
  const choose = (next: Language) => {
    localStorage.setItem(storageKey, next);
    setLanguage(next);
  };
  return (
    <Card
      title={t.portal.snippet}
      note={t.portal.snippetNote(!untested.includes(language))}
      end={<CopyButton text={snippets[language]} />}
    >
      <div className="snippet-tabs" role="tablist" aria-label={t.portal.snippet}>
        {languages.map((each) => (
          <button
            key={each}
            type="button"
            role="tab"
            id={`${id}-${each}`}
            aria-selected={each === language}
            aria-controls={`${id}-code`}
            onClick={() => choose(each)}
          >
            {each}
          </button>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys. */}
      <pre className="snippet" role="tabpanel" id={`${id}-code`} aria-labelledby={`${id}-${language}`} tabIndex={0}>
        {snippets[language]}
      </pre>
    </Card>
  );
}
