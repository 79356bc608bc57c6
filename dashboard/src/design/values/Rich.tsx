// A sentence in which **this** is strong and `this` is what one types.
export function Rich({ text }: { text: string }) {
  return text.split(/(\*\*.+?\*\*|`[^`]+`)/).map((part, place) => {
    if (place % 2 === 0) return part;
    return part.startsWith('`') ? <code key={place}>{part.slice(1, -1)}</code> : <b key={place}>{part.slice(2, -2)}</b>;
  });
}
