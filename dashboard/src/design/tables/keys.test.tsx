import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach, expect, test } from 'vitest';
import { useRowKeys } from './keys';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
Element.prototype.scrollIntoView = () => {};

const pressed: string[] = [];
const key = (name: string) =>
  document.body.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true }));

function List({ hasOwnAct }: { hasOwnAct: boolean }) {
  const list = { current: document.querySelector<HTMLElement>('main') };
  useRowKeys(list);
  return (
    <>
      <button type="button" data-key="r" onClick={() => pressed.push('selection')} />
      <div data-row>
        <a href="#row" data-open>
          row
        </a>
        {hasOwnAct && <button type="button" data-key="r" onClick={() => pressed.push('row')} />}
      </div>
    </>
  );
}

async function shown(hasOwnAct: boolean) {
  document.body.innerHTML = '<main></main>';
  const root = createRoot(document.querySelector('main') as HTMLElement);
  await act(async () => root.render(<List hasOwnAct={hasOwnAct} />));
  return root;
}

afterEach(() => pressed.splice(0));

test('r is the act of the row, and of what is selected where rows have none', async () => {
  for (const [hasOwnAct, expected] of [
    [true, 'row'],
    [false, 'selection'],
  ] as const) {
    const root = await shown(hasOwnAct);
    key('j');
    expect(document.activeElement?.textContent).toBe('row');
    key('r');
    expect(pressed.splice(0)).toEqual([expected]);
    await act(async () => root.unmount());
  }
});
