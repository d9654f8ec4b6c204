import { describe, expect, it } from 'vitest';
import { hasTooManyParts, MAX_PARTS } from '../../../src/unit/input/json-parts.ts';

describe('the number of values in JSON', () => {
  it.each([
    ['lists', '[],'],
    ['objects', '{},'],
    ['numbers', '1,'],
    ['fields', '"a":1,'],
    ['texts with quotes', '"\\"",'],
    ['deep lists', '['],
  ])('is too many for a hundred thousand %s', (_what, part) => {
    expect(hasTooManyParts(`[${part.repeat(2 * MAX_PARTS)}`)).toBe(true);
  });

  it('does not count what stands in texts', () => {
    expect(hasTooManyParts(JSON.stringify({ id: 'a', text: '[{,"\\'.repeat(MAX_PARTS) }))).toBe(false);
  });

  it('is fine for a large unit', () => {
    const images = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, index) => [
        `scan-${index}`,
        `https://images.example/${index}?crop=1,2,3,4`,
      ]),
    );
    expect(hasTooManyParts(JSON.stringify({ id: 'a', images }))).toBe(false);
  });
});
