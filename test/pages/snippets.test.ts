import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { type SnippetImage, snippetsFor } from '../../src/pages/snippets.ts';
import { TIERS } from '../../src/protocol/request.ts';

const KEY = { id: 'k', hex: '00'.repeat(16) };

const IMAGE: SnippetImage = {
  baseUrl: 'https://images.example.com',
  unit: 'unit-1',
  src: 'https://client.example/a b"c.jpg?x=1&y=2',
  width: 720,
  widths: [480, 720, 1080],
  tier: 'balanced',
  source: { width: 2000, height: 1500 },
};

const URLS = /https:\/\/images\.example\.com\/u\/[^"'\s,]+/g;

describe('Code for an image', () => {
  it.each([
    ['unsigned', undefined],
    ['signed', KEY],
  ])('names a format in each URL that it has, or leaves it to a browser: %s', (_kind, key) => {
    const snippets = snippetsFor(IMAGE, key);
    expect(snippets.map(({ id }) => id)).toEqual(
      'html react next coil glide swift flutter python curl'.split(' '),
    );
    for (const { id, code } of snippets) {
      const urls = code.match(URLS) ?? [];
      if (id === 'next') expect(urls).toEqual([]);
      else expect(urls.length).toBeGreaterThan(0);
      for (const url of urls) {
        expect(url).toMatch(/[&;]f=(avif|webp|jpeg)\b/);
        expect(url.includes('sig=k.')).toBe(key !== undefined);
      }
    }
  });

  it('is HTML whose attributes are escaped', () => {
    const [html] = snippetsFor(IMAGE, KEY);
    expect(html?.code).not.toMatch(/&(?!amp;)/);
    expect(html?.code.match(/"/g)?.length).toBe(2 * (html?.code.match(/="/g)?.length ?? 0));
    expect(html?.code).toContain('width="2000" height="1500"');
  });

  it('never has a key in it', () => {
    for (const { code } of snippetsFor(IMAGE, KEY)) expect(code).not.toContain(KEY.hex);
  });

  it.each([undefined, KEY])(
    'imports what the package of the client exports, and says how to get it',
    async (key) => {
      const client = await import('../../src/client/client.ts');
      const next = snippetsFor(IMAGE, key).find(({ id }) => id === 'next');
      const [, name = '', file] = /import \{ (\w+) \} from '([^']+)'/.exec(next?.code ?? '') ?? [];
      expect(Object.keys(client)).toContain(name);
      const scripts = await readFile('scripts/build-client.ts', 'utf8');
      expect(scripts).toContain(`const NAME = '${file}'`);
      expect(next?.note).toContain(
        `${file} is made in a checkout: npm run build:client && npm pack ./dist/client`,
      );
    },
  );

  it('asks the loader of Next.js for a quality that means the tier', async () => {
    const { nextImageLoader } = await import('../../src/client/frameworks.ts');
    const loader = nextImageLoader({ baseUrl: IMAGE.baseUrl, unit: IMAGE.unit });
    for (const tier of TIERS) {
      const next = snippetsFor({ ...IMAGE, tier }, undefined).find(({ id }) => id === 'next');
      const quality = Number(/quality=\{(\d+)\}/.exec(next?.code ?? '')?.[1]);
      expect(loader({ src: IMAGE.src, width: 720, quality })).toContain(`q=${tier}`);
    }
  });
});
