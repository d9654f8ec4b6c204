import { describe, expect, it } from 'vitest';
import { imageUrl } from '../../src/client/image-url.ts';
import { picture } from '../../src/client/picture.ts';
import { type SrcsetParts, srcset } from '../../src/client/srcset.ts';

const KEY = 'k1:000102030405060708090a0b0c0d0e0f';
const image = { baseUrl: 'https://images.test', unit: 'unit-1', src: 'https://x.test/a,b c.jpg?x=1&y=2' };
const url = (width: number, format?: 'avif' | 'webp' | 'jpeg') => imageUrl({ ...image, width, format }, KEY);

/** The candidates as a browser reads them: split at commas and spaces. */
const candidatesOf = (text: string) => text.split(', ').map((candidate) => candidate.split(' '));

describe('srcset', () => {
  it('has a signed URL and its width for each width, from the smallest, each once', () => {
    expect(candidatesOf(srcset({ ...image, widths: [1080, 720, 1080] }, KEY))).toEqual([
      [url(720), '720w'],
      [url(1080), '1080w'],
    ]);
  });

  it('names no width above that of the original, which no image has', () => {
    const widths = [480, 720, 1080, 1600];
    const described = (sourceWidth: number) => candidatesOf(srcset({ ...image, widths, sourceWidth }, KEY));
    expect(described(1000)).toEqual([
      [url(480), '480w'],
      [url(720), '720w'],
      [url(1080), '1000w'],
    ]);
    expect(described(720).at(-1)).toEqual([url(720), '720w']);
    expect(described(100)).toEqual([[url(480), '100w']]);
    expect(described(5000)).toHaveLength(4);
  });

  it.each<[string, object, RegExp]>([
    ['no widths', { widths: [] }, /`widths` must have at least one/],
    ['widths that are no list', { widths: 720 }, /`widths` must have at least one/],
    ['a width that is not a number', { widths: [720, Number.NaN] }, /`width` must be a whole number/],
    ['a width of 0', { widths: [0, 720] }, /`width` must be a whole number/],
    ['an original of 0 pixels', { widths: [720], sourceWidth: 0 }, /`sourceWidth` must be/],
    ['an original of half a pixel more', { widths: [720], sourceWidth: 700.5 }, /`sourceWidth` must be/],
  ])('refuses %s', (_, wrong, message) => {
    expect(() => srcset({ ...image, ...wrong } as SrcsetParts)).toThrow(message);
  });
});

describe('picture', () => {
  const parts = { ...image, widths: [720, 1080], sizes: '50vw', alt: 'A "bridge" & <trees>' };

  it('offers AVIF, then WebP, and JPEG to all others', () => {
    const { sources, img } = picture(parts, KEY);
    expect(sources.map(({ type }) => type)).toEqual(['image/avif', 'image/webp']);
    expect(sources[1]).toEqual({
      type: 'image/webp',
      srcset: `${url(720, 'webp')} 720w, ${url(1080, 'webp')} 1080w`,
      sizes: '50vw',
    });
    expect(img).toEqual({
      src: url(1080, 'jpeg'),
      srcset: `${url(720, 'jpeg')} 720w, ${url(1080, 'jpeg')} 1080w`,
      sizes: '50vw',
      alt: 'A "bridge" & <trees>',
    });
  });

  it('keeps room for an image whose size is known', () => {
    const { img } = picture({ ...parts, sourceWidth: 4000, sourceHeight: 3000 });
    expect(img).toMatchObject({ width: 4000, height: 3000 });
    expect(picture({ ...parts, sourceWidth: 4000 }).img).not.toHaveProperty('width');
  });

  it('is as wide as the page, and says nothing, unless it is told', () => {
    const { sources, img } = picture({ ...image, widths: [720] });
    expect(img).toMatchObject({ sizes: '100vw', alt: '' });
    expect(sources[0]?.sizes).toBe('100vw');
  });

  it('is HTML with escaped attributes', () => {
    const { html } = picture({ ...parts, formats: ['webp'], fallback: 'webp', widths: [720] }, KEY);
    const escaped = url(720, 'webp').replaceAll('&', '&amp;');
    expect(html).toBe(
      `<picture><source type="image/webp" srcset="${escaped} 720w" sizes="50vw">` +
        `<img src="${escaped}" srcset="${escaped} 720w" sizes="50vw" alt="A &quot;bridge&quot; &amp; &lt;trees>"></picture>`,
    );
  });
});
