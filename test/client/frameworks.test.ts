import { describe, expect, it } from 'vitest';
import { nextImageLoader, nuxtImageProvider, unpicTransformer } from '../../src/client/frameworks.ts';
import { imageUrl } from '../../src/client/image-url.ts';
import { VARIABLES } from '../../src/config-variables.ts';

const options = { baseUrl: 'https://images.test/', unit: 'site' };
const src = 'https://x.test/a.jpg';
const url = (parts: object) => imageUrl({ ...options, src, ...parts });

describe('nextImageLoader', () => {
  const loader = nextImageLoader(options);

  it('returns the URL at once, at the rung that is wide enough', () => {
    expect(loader({ src, width: 640 })).toBe(url({ width: 720 }));
    expect(loader({ src, width: 3840 })).toBe(url({ width: 2048 }));
  });

  it('knows the widths of the service as they are by default', () => {
    const rungs = String(VARIABLES.widths.default).split(',').map(Number);
    for (const rung of rungs) expect(loader({ src, width: rung })).toBe(url({ width: rung }));
    for (const rung of rungs.slice(0, -1))
      expect(loader({ src, width: rung + 1 })).not.toContain(`w=${rung + 1}`);
  });

  it.each([
    [60, 'saver'],
    [75, 'balanced'],
    [80, 'balanced'],
    [90, 'high'],
  ])('takes the quality %d as the tier %s', (quality, tier) => {
    expect(loader({ src, width: 720, quality })).toBe(url({ width: 720, tier }));
  });

  it('takes the widths, the unit and the site that it is told', () => {
    const own = nextImageLoader({
      ...options,
      widths: [1000, 500],
      unit: (of) => (of.includes('hero') ? 'home' : 'other'),
      siteUrl: 'https://www.x.test/',
    });
    const hero = { ...options, unit: 'home', src: 'https://www.x.test/hero.jpg' };
    expect(own({ src: '/hero.jpg', width: 501 })).toBe(imageUrl({ ...hero, width: 1000 }));
  });

  it('refuses a relative source without a site, and a width or a quality that is none', () => {
    expect(() => loader({ src: '/hero.jpg', width: 720 })).toThrow(/`src` is relative: give `siteUrl`/);
    expect(() => loader({ src: 'hero.jpg', width: 720 })).toThrow(/`src` must be an absolute/);
    expect(() => loader({ src, width: Number.NaN })).toThrow(/`width`/);
    expect(() => loader({ src, width: 720, quality: Number.NaN })).toThrow(/`tier` must be saver.*it is NaN/);
  });
});

describe('nuxtImageProvider', () => {
  it('takes its options, and of the modifiers width, quality and format', () => {
    const { getImage } = nuxtImageProvider;
    const { baseUrl: baseURL, unit } = options;
    const modifiers = { width: '700', height: 300, fit: 'cover', quality: 90, format: 'webp' };
    expect(getImage(src, { baseURL, unit, modifiers })).toEqual({
      url: url({ width: 720, tier: 'high', format: 'webp' }),
    });
    expect(getImage(src, { baseURL, unit })).toEqual({ url: url({}) });
  });
});

describe('unpicTransformer', () => {
  it('takes width, quality and format, and leaves formats that are not made to negotiation', () => {
    const transform = unpicTransformer(options);
    expect(transform(src, { width: 1000, format: 'jpg' })).toBe(url({ width: 1080, format: 'jpeg' }));
    expect(transform(new URL(src), { width: 1000, quality: 'saver', format: 'png' })).toBe(
      url({ width: 1080, tier: 'saver' }),
    );
  });
});
