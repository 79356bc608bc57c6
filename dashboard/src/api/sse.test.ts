import { expect, test } from 'vitest';
import { readEvents } from './sse';

function bodyOf(...chunks: string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
      controller.close();
    },
  });
}

async function all(body: ReadableStream<Uint8Array>) {
  const events = [];
  for await (const event of readEvents(body)) events.push(event);
  return events;
}

test('events are read whole, however the bytes arrive', async () => {
  const events = await all(bodyOf('event: hel', 'lo\ndata: {"at":', '1}\n', '\nevent: message\r\ndata: {}\r\n\r\n'));
  expect(events).toEqual([
    { name: 'hello', data: '{"at":1}' },
    { name: 'message', data: '{}' },
  ]);
});

test('comments and half an event at the end give nothing', async () => {
  expect(await all(bodyOf(': alive\n\n', 'event: attempt\ndata: {"half":'))).toEqual([]);
});
