import { expect, it } from 'vitest';
import { parseUnit } from '../../../src/unit/parse-unit.ts';
import { readUnits } from '../../../src/unit/read-units.ts';

const DEFAULTS = {
  ladder: { widths: [1080], defaultWidth: 1080 },
  prewarm: { widths: [1080], tiers: ['balanced'], formats: ['avif'] },
} as const;
const UNIT = '{"id":"a","images":["https://x.test/1"]}';

it.each([
  ['a line with a unit', `${UNIT}\n`],
  ['the first entry of an array', `[\n${UNIT},\n`],
])('a pipe that stays open gives %s at once', async (_what, sent) => {
  async function* pipe() {
    yield Buffer.from(sent);
    await new Promise(() => undefined);
  }
  const units = readUnits(pipe(), { toUnit: (value) => parseUnit(value, DEFAULTS) });
  expect((await units.next()).value).toMatchObject({ unit: { id: 'a' } });
});
