// The language: which one, its catalogue, and how it writes numbers and times. One catalogue is loaded at a time.
import { createContext, type ReactNode, useContext, useMemo, useState } from 'react';
import type { Messages } from './en';
import { createFormat, type Format } from './format';

export type Locale = 'en' | 'ko';
export const locales: Record<Locale, string> = { en: 'English', ko: '한국어' };

const storageKey = 'postrider.locale';
const catalogues = {
  en: () => import('./en').then((module) => module.messages),
  ko: () => import('./ko').then((module) => module.messages),
};

interface Language {
  locale: Locale;
  t: Messages;
  format: Format;
  setLocale: (locale: Locale) => void;
}

const Context = createContext<Language | null>(null);

export function preferredLocale(): Locale {
  const wanted = [localStorage.getItem(storageKey), ...navigator.languages];
  for (const language of wanted) {
    const short = language?.slice(0, 2);
    if (short === 'en' || short === 'ko') return short;
  }
  return 'en';
}

export function loadMessages(locale: Locale): Promise<Messages> {
  return catalogues[locale]();
}

export function LanguageProvider({
  initial,
  children,
}: {
  initial: { locale: Locale; messages: Messages };
  children: ReactNode;
}) {
  const [current, setCurrent] = useState(initial);
  const language = useMemo(() => {
    document.documentElement.lang = current.locale;
    return {
      locale: current.locale,
      t: current.messages,
      format: createFormat(current.locale, current.messages.units),
      setLocale: async (locale: Locale) => {
        localStorage.setItem(storageKey, locale);
        setCurrent({ locale, messages: await loadMessages(locale) });
      },
    };
  }, [current]);
  return <Context value={language}>{children}</Context>;
}

export function useLanguage(): Language {
  const language = useContext(Context);
  if (!language) throw new Error('There is no LanguageProvider above.');
  return language;
}

export function useT(): Messages {
  return useLanguage().t;
}

export function useFormat(): Format {
  return useLanguage().format;
}
