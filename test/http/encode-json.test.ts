import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeJson } from '../../src/http/encode-json.ts';

it('Long lists are written as JSON.stringify writes them', async () => {
  const list = fc.array(fc.jsonValue(), { maxLength: 60 });
  const member = fc.oneof(fc.jsonValue(), list, fc.constant(undefined));
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.string(), member), async (value) => {
      expect((await encodeJson(value)).toString()).toBe(`${JSON.stringify(value)}\n`);
    }),
  );
});
