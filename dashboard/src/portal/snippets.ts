// Code that checks a signature. WEBHOOK_SECRET is the endpoint's secret. tests/suite/clients/snippets.rs runs these files as
// they stand, where their language is on the machine.
import csharp from './snippets/csharp.cs?raw';
import go from './snippets/go.go?raw';
import node from './snippets/node.mjs?raw';
import php from './snippets/php.php?raw';
import python from './snippets/python.py?raw';
import ruby from './snippets/ruby.rb?raw';
import rust from './snippets/rust.rs?raw';
import java from './snippets/Webhooks.java?raw';

export const languages = ['Node', 'Python', 'Go', 'Rust', 'Java', 'Ruby', 'PHP', 'C#'] as const;
export type Language = (typeof languages)[number];

/** No test of ours runs these. */
export const untested: readonly Language[] = ['Go', 'Ruby', 'PHP', 'C#'];

const texts = { Node: node, Python: python, Go: go, Rust: rust, Java: java, Ruby: ruby, PHP: php, 'C#': csharp };
export const snippets = Object.fromEntries(
  languages.map((language) => [language, texts[language].trimEnd()]),
) as Record<Language, string>;
