// A sentence of the catalogue in which **this** is strong.
export function Rich({ text }: { text: string }) {
  return text.split('**').map((part, place) => (place % 2 === 1 ? <b key={place}>{part}</b> : part));
}
