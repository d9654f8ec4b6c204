import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { RefusedLine } from '../../src/unit/outcome.ts';
import { parseUnit } from '../../src/unit/parse-unit.ts';
import { readUnits, type UnitLine } from '../../src/unit/read-units.ts';

const DEFAULTS = {
  ladder: { widths: [320, 1080], defaultWidth: 1080 },
  prewarm: { widths: [1080], tiers: ['balanced'], formats: ['avif', 'webp'] },
} as const;

async function read(input: string | Uint8Array) {
  async function* chunks() {
    yield typeof input === 'string' ? new TextEncoder().encode(input) : input;
  }
  const lines: (UnitLine | RefusedLine)[] = [];
  const units = readUnits(chunks(), { toUnit: (value) => parseUnit(value, DEFAULTS) });
  for await (const line of units) lines.push(line);
  return lines;
}

describe('readUnits', () => {
  it('returns each unit, and the reason for each line that is not a unit, with its line number', async () => {
    const lines = await read(
      [
        '{"id":"a","images":["https://x.test/1.jpg"]}',
        '',
        '{"id":"b"',
        '{"id":"b","images":[]}',
        '"c"',
        '{"id":"d","key_urls_map":{"front":"https://x.test/2.jpg"},"widths":[300]}',
      ].join('\n'),
    );
    expect(lines).toMatchObject([
      { line: 1, unit: { id: 'a', images: [{ src: 'https://x.test/1.jpg' }], ...DEFAULTS.prewarm } },
      { line: 3, unit: 'b', state: 'refused', detail: expect.stringMatching(/^not JSON: ./) },
      { line: 4, unit: 'b', state: 'refused', detail: '`images` is empty' },
      { line: 5, state: 'refused', detail: 'it is not a JSON object: it begins with `"`' },
      {
        line: 6,
        unit: {
          id: 'd',
          images: [{ src: 'https://x.test/2.jpg', name: 'front' }],
          ...DEFAULTS.prewarm,
          widths: [320],
        },
      },
    ]);
  });

  it('refuses a line that is too long, and reads the next one', async () => {
    const lines = await read(`${'x'.repeat(2 ** 20 + 1)}\n{"id":"a","images":["https://x.test/1.jpg"]}`);
    expect(lines).toMatchObject([
      { line: 1, state: 'refused', detail: 'it is longer than 1048576 bytes' },
      { line: 2, unit: { id: 'a' } },
    ]);
  });

  it('joins the rows of a compressed CSV that comes in one chunk, as of one in many', async () => {
    const pathOf = (nth: number) => randomBytes(1900).toString('hex') + nth;
    const rows = Array.from({ length: 900 }, (_, nth) => `u-${nth},https://x.test/${pathOf(nth)}`);
    const content = gzipSync(['id,url', ...rows, 'u-0,https://x.test/last'].join('\n'));
    const [first, ...others] = await read(content);
    expect(first).toMatchObject({ unit: { id: 'u-0', images: [{}, { src: 'https://x.test/last' }] } });
    expect(others).toHaveLength(899);
  });

  it('lets other work run between the lines of one chunk', async () => {
    let [turns, isReading] = [0, true];
    const takeTurn = () => {
      turns++;
      if (isReading) setImmediate(takeTurn);
    };
    setImmediate(takeTurn);
    const lines = await read('{}\n'.repeat(30_000));
    isReading = false;
    expect(lines).toHaveLength(30_000);
    expect(turns).toBeGreaterThan(3);
  });
});
