// Puts the tenant-facing look in force: name and accent. Set through the style object, which the content security policy allows.
import type { Schemas } from '../api/types';

export function applyLook(look: Schemas['LookOut'], title: string): void {
  document.title = [look.name, title].filter(Boolean).join(' · ');
  const { accentLight: light, accentDark: dark } = look;
  if (!light && !dark) return;
  const { style } = document.documentElement;
  const both = (one: string, other: string) => `light-dark(${one}, ${other})`;
  const [day, night] = [light ?? '#3a4fd0', dark ?? '#5468e7'];
  style.setProperty('--accent', both(day, night));
  style.setProperty(
    '--accent-hover',
    both(`color-mix(in srgb, ${day} 85%, black)`, `color-mix(in srgb, ${night} 85%, black)`),
  );
  style.setProperty('--accent-text', both(day, `color-mix(in srgb, ${night} 45%, white)`));
  style.setProperty(
    '--accent-soft',
    both(`color-mix(in srgb, ${day} 8%, white)`, `color-mix(in srgb, ${night} 25%, #15161a)`),
  );
  style.setProperty('--focus', both(day, `color-mix(in srgb, ${night} 60%, white)`));
  style.setProperty('--selected', 'var(--accent-soft)');
}
