import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { negotiate, rungFor, rungsFor } from '../../src/protocol/negotiation.ts';
import type { ImageRequest } from '../../src/protocol/request.ts';

const LADDER = { widths: [160, 320, 720, 1080], defaultWidth: 720 };

/** Negotiates a request with these parameters and headers. */
function negotiated(
  parameters: Partial<ImageRequest>,
  headers: { accept?: string | undefined; saveData?: string | undefined } = {},
) {
  const request = { unit: 'a', src: 'https://x.test/a', signedText: '', ...parameters };
  return negotiate(request, { accept: headers.accept, saveData: headers.saveData }, LADDER);
}

describe('negotiate', () => {
  it.each([
    ['avif', 'image/avif,image/webp,image/*,*/*;q=0.8'],
    ['avif', 'image/webp,image/avif;q=0.1'],
    ['webp', 'image/webp,*/*'],
    ['webp', 'IMAGE/WEBP'],
    ['webp', 'image/avif;q=0, image/webp ; q=0.5'],
    ['jpeg', 'image/avif;q=0.000,image/webp;Q=0'],
    ['jpeg', 'image/avif;v=1;q=0'],
    ['jpeg', 'image/*'],
    ['jpeg', '*/*'],
    ['jpeg', 'image/avif-sequence, ximage/webp'],
    ['jpeg', 'image/avif;q=high'],
    ['jpeg', ''],
    ['jpeg', undefined],
  ])('chooses %s for the Accept header %j', (format, accept) => {
    expect(negotiated({}, { accept }).format).toBe(format);
  });

  it.each([
    ['saver', 'on'],
    ['saver', ' ON '],
    ['balanced', 'off'],
    ['balanced', undefined],
  ])('chooses the tier %s for the Save-Data header %j', (tier, saveData) => {
    expect(negotiated({}, { saveData }).tier).toBe(tier);
  });

  it.each([
    ['both headers', {}, { format: 'avif', tier: 'saver', vary: ['Accept', 'Save-Data'] }],
    ['Save-Data', { format: 'jpeg' }, { format: 'jpeg', tier: 'saver', vary: ['Save-Data'] }],
    ['Accept', { tier: 'high' }, { format: 'avif', tier: 'high', vary: ['Accept'] }],
    ['no header', { tier: 'high', format: 'webp' }, { format: 'webp', tier: 'high', vary: [] }],
  ] as const)('consults and names %s for what the URL does not name', (_name, parameters, expected) => {
    const headers = { accept: 'image/avif', saveData: 'on' };
    expect(negotiated(parameters, headers)).toMatchObject(expected);
  });

  it.each([
    [160, 1],
    [160, 160],
    [320, 161],
    [720, 720],
    [1080, 721],
    [1080, 1080],
    [1080, 1081],
    [1080, 1e20],
  ])('chooses the rung %d for a width of %d', (rung, width) => {
    expect(negotiated({ width }).width).toBe(rung);
  });

  it('chooses the default width when the URL names none', () => {
    expect(negotiated({}).width).toBe(720);
  });
});

describe('rungFor', () => {
  it('returns a rung of the ladder that is wide enough, or the top one', () => {
    const widths = fc.uniqueArray(fc.integer({ min: 1, max: 5000 }), { minLength: 1 });
    fc.assert(
      fc.property(widths, fc.integer({ min: 1 }), (unsorted, width) => {
        const ladder = unsorted.sort((a, b) => a - b);
        const rung = rungFor(width, ladder);
        return ladder.includes(rung) && (rung >= width || rung === Math.max(...ladder));
      }),
    );
  });
});

describe('rungsFor', () => {
  it('returns each rung once, in ascending order', () => {
    expect(rungsFor([9999, 1, 300, 330], LADDER.widths)).toEqual([160, 320, 720, 1080]);
    expect(rungsFor([100, 150], LADDER.widths)).toEqual([160]);
  });
});
