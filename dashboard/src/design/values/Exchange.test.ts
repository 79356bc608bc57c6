import { expect, test } from 'vitest';
import { curlOf } from './Exchange';

test('the curl command survives quotes, keeps the signature and hides what is secret', () => {
  const request = {
    method: 'POST',
    url: 'https://hooks.example/a?b=1',
    headers: [
      { name: 'host', value: 'hooks.example' },
      { name: 'webhook-signature', value: 'v1,abc=' },
      { name: 'x-key', value: null },
    ],
    sizeBytes: 9,
    body: '{"a":1}',
    isExact: true,
  };
  expect(curlOf(request, `{"it's":1}`)).toBe(
    [
      "curl -X POST 'https://hooks.example/a?b=1' \\",
      "  -H 'webhook-signature: v1,abc=' \\",
      "  -H 'x-key: ••••••••' \\",
      `  --data-binary '{"it'\\''s":1}'`,
    ].join('\n'),
  );
});
