import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { negotiate, rungFor } from '../../src/protocol/negotiation.ts';
import type { ImageRequest } from '../../src/protocol/request.ts';

const LADDER = { widths: [160, 320, 720, 1080], defaultWidth: 720 };

function choose(said: Partial<ImageRequest>, headers: { accept?: string; saveData?: string } = {}) {
  const request = { unit: 'a', src: 'https://x.test/a', signedText: '', ...said };
  return negotiate(request, { accept: headers.accept, saveData: headers.saveData }, LADDER);
}

describe('negotiation', () => {
  it('takes the best format that Accept names itself', () => {
    const cases: [string | undefined, string][] = [
      ['image/avif,image/webp,image/*,*/*;q=0.8', 'avif'],
      ['image/webp,image/avif;q=0.1', 'avif'],
      ['image/webp,*/*', 'webp'],
      ['IMAGE/WEBP', 'webp'],
      ['image/avif;q=0, image/webp ; q=0.5', 'webp'],
      ['image/avif;q=0.000,image/webp;Q=0', 'jpeg'],
      ['image/avif;v=1;q=0', 'jpeg'],
      ['image/*', 'jpeg'],
      ['*/*', 'jpeg'],
      ['image/avif-sequence, ximage/webp', 'jpeg'],
      ['image/avif;q=high', 'jpeg'],
      ['', 'jpeg'],
      [undefined, 'jpeg'],
    ];
    for (const [accept, format] of cases) {
      expect(choose({}, accept === undefined ? {} : { accept }).format, String(accept)).toBe(format);
    }
  });

  it('squeezes harder when the client saves data', () => {
    expect(choose({}, { saveData: 'on' }).tier).toBe('saver');
    expect(choose({}, { saveData: ' ON ' }).tier).toBe('saver');
    expect(choose({}, { saveData: 'off' }).tier).toBe('balanced');
    expect(choose({}).tier).toBe('balanced');
  });

  it('lets the URL overrule the headers, and names only the headers that it consulted', () => {
    const headers = { accept: 'image/avif', saveData: 'on' };
    expect(choose({}, headers)).toMatchObject({
      format: 'avif',
      tier: 'saver',
      vary: ['Accept', 'Save-Data'],
    });
    expect(choose({ format: 'jpeg' }, headers)).toMatchObject({
      format: 'jpeg',
      tier: 'saver',
      vary: ['Save-Data'],
    });
    expect(choose({ tier: 'high' }, headers)).toMatchObject({
      format: 'avif',
      tier: 'high',
      vary: ['Accept'],
    });
    expect(choose({ tier: 'high', format: 'webp' }, headers).vary).toEqual([]);
  });

  it('takes the next rung up, the top rung above it, and the default when no width is said', () => {
    expect([1, 160, 161, 720, 721, 1080, 1081, 1e20].map((width) => choose({ width }).width)).toEqual([
      160, 160, 320, 720, 1080, 1080, 1080, 1080,
    ]);
    expect(choose({}).width).toBe(720);
  });

  it('never leaves the ladder', () => {
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
