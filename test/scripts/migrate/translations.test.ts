import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { translate } from '../../../scripts/migrate/old-image.ts';
import { READERS, type Service } from '../../../scripts/migrate.ts';
import { imageUrl } from '../../../src/client/image-url.ts';

const ORIGIN = 'https://shop.test';

const translated = (service: Service, url: string, origin?: string) =>
  translate(READERS[service](url), origin);

/** Returns the rows of the tables of docs/migration.md: the service of their section, the old URL, the new one, and what is lost. */
async function readDocumentedRows() {
  const text = await readFile(new URL('../../../docs/migration.md', import.meta.url), 'utf8');
  let service = '';
  const rows: { service: Service; old: string; now: string; lost: string }[] = [];
  for (const line of text.split('\n')) {
    service = /^## .*\(`([a-z-]+)`\)$/.exec(line)?.[1] ?? service;
    const [, old, now, lost = ''] = /^\| `(\S+)` \| `(\/u\/\S+)` \| (.*) \|$/.exec(line) ?? [];
    if (old && now) rows.push({ service: service as Service, old, now, lost });
  }
  return rows;
}

describe('a translated URL', () => {
  it('is the one that the documents have beside the old one, with what is lost', async () => {
    const rows = await readDocumentedRows();
    expect(new Set(rows.map(({ service }) => service))).toEqual(new Set(Object.keys(READERS)));
    const found = rows.map(({ service, old }) => {
      const { lost, ...parts } = translated(service, old, ORIGIN);
      return {
        service,
        old,
        now: imageUrl({ baseUrl: '', unit: 'unit-1', ...parts }),
        lost: lost.join('; '),
      };
    });
    expect(found).toEqual(rows);
  });

  it.each([
    ['avif', 57, 'saver'],
    ['avif', 58, 'balanced'],
    ['avif', 68, 'balanced'],
    ['avif', 69, 'high'],
    ['webp', 73, 'saver'],
    ['webp', 74, 'balanced'],
    ['webp', 85, 'balanced'],
    ['webp', 86, 'high'],
    ['jpg', 70, 'saver'],
    ['jpg', 71, 'balanced'],
    ['jpg', 85, 'balanced'],
    ['jpg', 86, 'high'],
  ])('has the tier that an encoder of %s reaches at quality %i: %s', (format, quality, tier) => {
    const old = { src: 'https://x.test/a', quality, format, unsupported: [] };
    expect(translate(old).tier).toBe(tier);
  });

  it('is as wide as the screen has pixels', () => {
    expect(translated('imgproxy', '/s/w:333/dpr:1.5/plain/https://x.test/a').width).toBe(500);
    expect(translated('imgproxy', '/s/w:333/dpr:/plain/https://x.test/a').width).toBe(333);
  });

  it('has a source whose two slashes a server has made one', () => {
    for (const url of ['/s/plain/https:/x.test/a', '/s/plain/https://x.test/a'])
      expect(translated('imgproxy', url).src).toBe('https://x.test/a');
    expect(translated('thumbor', '/unsafe/300x0/http:/x.test/a').src).toBe('http://x.test/a');
    expect(translated('ipx', '/_/https:/x.test/a').src).toBe('https://x.test/a');
  });

  it('says of formats what is lost with them', () => {
    const lost = (format: string) => translated('imgproxy', `/s/f:${format}/plain/https://x.test/a`).lost;
    expect(lost('jxl')).toEqual(['the format jxl, which is not made: `Accept` decides']);
    expect(lost('png')).toEqual(['transparency, which `f=jpeg` lays on white: `f=webp` keeps it']);
    for (const format of ['best', 'webp', 'jpg', 'gif']) expect(lost(format)).toEqual([]);
  });

  it('says that imgproxy would have enlarged or extended the image', () => {
    const lost = (options: string) => translated('imgproxy', `/s/${options}/plain/https://x.test/a`).lost;
    expect(lost('rs:fit:300:0:1:1')).toEqual(['`enlarge` has no equivalent', '`extend` has no equivalent']);
    expect(lost('s:300:0:1')).toEqual(['`enlarge` has no equivalent']);
    expect(lost('rs:fit:300:0:0:0/el:0')).toEqual([]);
  });

  it.each(['fill', 'fill-down', 'force', 'auto'])(
    'says that imgproxy would have cut or distorted: %s',
    (type) => {
      expect(translated('imgproxy', `/s/rt:${type}/w:300/plain/https://x.test/a`).lost).toEqual([
        `\`resizing type ${type}\` has no equivalent`,
      ]);
    },
  );

  it('says that thumbor would have flipped the image', () => {
    expect(translated('thumbor', '/unsafe/-300x0/https://x.test/a').lost).toEqual([
      '`-300x0` has no equivalent',
    ]);
  });

  it('loses nothing with what is done anyway, or by names in full', () => {
    const thumbor = '/unsafe/fit-in/300x0/filters:no_upscale():strip_exif():max_age(60)/https://x.test/a';
    expect(translated('thumbor', thumbor)).toEqual({ src: 'https://x.test/a', width: 300, lost: [] });
    const ipx = '/_ipx/width_300,format_webp/https://x.test/a';
    expect(translated('ipx', ipx)).toEqual({
      ...{ src: 'https://x.test/a', width: 300, format: 'webp', lost: [] },
    });
    const edits = { resize: { width: 300, height: 200, fit: 'outside' } };
    const request = Buffer.from(JSON.stringify({ bucket: 'photos', key: 'a.jpg', edits }));
    expect(translated('aws-samples', `/${request.toString('base64')}`).lost).toEqual([
      'the height of 200: an image is as high as its width makes it',
    ]);
  });

  it('has no expiry where imgproxy has none', () => {
    expect(translated('imgproxy', '/s/exp:0/plain/https://x.test/a')).not.toHaveProperty('expiresAt');
  });

  it('says which parameters of Next.js it does not know, as of a URL out of HTML', () => {
    const url = '/_next/image?url=https%3A%2F%2Fx.test%2Fa&amp;w=640&dpl=1';
    expect(translated('next-image', url)).toEqual({
      ...{ src: 'https://x.test/a', lost: ['`amp;w=640` has no equivalent'] },
    });
  });

  it('reads a URL of ipx behind the base path of a site', () => {
    const url = 'https://x.test/shop/_ipx/w_300/photos/a.jpg';
    expect(translated('ipx', url, ORIGIN)).toEqual({
      ...{ src: `${ORIGIN}/photos/a.jpg`, width: 300, lost: [] },
    });
  });

  it('reads a URL of thumbor that shows where it found faces', () => {
    expect(translated('thumbor', '/unsafe/debug/300x0/x.test/a.jpg')).toEqual({
      ...{ src: 'http://x.test/a.jpg', width: 300, lost: ['`debug` has no equivalent'] },
    });
  });

  it('names the source of imgproxy in base64, in one part or in several', () => {
    const source = Buffer.from('https://x.test/photos/ä.jpg?v=1').toString('base64url');
    for (const encoded of [source, `${source.slice(0, 16)}/${source.slice(16)}`]) {
      expect(translated('imgproxy', `https://i.test/s/rs:fit:300/${encoded}.webp`)).toEqual({
        ...{ src: 'https://x.test/photos/ä.jpg?v=1', width: 300, format: 'webp', lost: [] },
      });
    }
  });

  it('takes the quality that imgproxy has for the format', () => {
    const url = (format: string) => `/s/fq:webp:60:avif:70/f:${format}/plain/https://x.test/a`;
    expect(['webp', 'avif', 'png'].map((format) => translated('imgproxy', url(format)).tier)).toEqual([
      ...['saver', 'high', undefined],
    ]);
  });

  it('takes the query of a source of thumbor to the source', () => {
    const url = 'https://t.test/unsafe/fit-in/300x0/https://x.test/a?size=1#top';
    expect(translated('thumbor', url)).toEqual({ src: 'https://x.test/a?size=1', width: 300, lost: [] });
  });

  it('takes nested parentheses in a filter of thumbor as one filter', () => {
    const url = '/unsafe/filters:watermark(http://x.test/(1).png,0,0,50):quality(90)/x.test/a.jpg';
    expect(translated('thumbor', url)).toEqual({
      ...{ src: 'http://x.test/a.jpg', tier: 'high' },
      lost: ['`watermark(http://x.test/(1).png,0,0,50)` has no equivalent'],
    });
  });

  it('reads a request of Dynamic Image Transformation, and says what is cut off', () => {
    const request = {
      bucket: 'photos',
      key: 'a b/ä.jpg',
      edits: {
        resize: { width: 400, height: 300, fit: 'cover' },
        toFormat: 'webp',
        webp: { quality: 60 },
        flip: true,
      },
    };
    const url = `https://d.test/${Buffer.from(JSON.stringify(request)).toString('base64')}`;
    expect(translated('aws-samples', url)).toEqual({
      ...{ src: 's3://photos/a b/ä.jpg', width: 400, tier: 'saver', format: 'webp' },
      lost: [
        '`resize.fit cover` has no equivalent',
        '`flip` has no equivalent',
        'the height of 300: an image is as high as its width makes it',
      ],
    });
  });

  it.each([
    ['imgproxy', '/s/rs:fit:300/enc/AAAA', 'encrypted'],
    ['imgproxy', '/s/rs:fit:300', 'no source'],
    ['imgproxy', '/s/rs:fit:300/plain/local:///a.jpg', 'must be an absolute http:, https: or s3: URL'],
    ['imgproxy', '/s/rs:fit:300/plain/https%3A//x.test/%E0', 'not percent-encoded'],
    ['imgproxy', '', 'no source'],
    ['imgproxy', '/s/300/200/plain/https://x.test/a.jpg', 'neither `plain/…` nor base64'],
    ['imgproxy', '/s/w:300/!!!!', 'neither `plain/…` nor base64'],
    ['imgproxy', '/s/w:300/_____w', 'neither `plain/…` nor base64'],
    ['imgproxy', '/s/plain/local:///a.jpg', /s3: URL$/],
    ['thumbor', '/', 'no signature'],
    ['thumbor', '/unsafe/', 'no source'],
    ['thumbor', '/unsafe/meta/300x300/x.test/a.jpg', 'not for an image'],
    ['next-image', '/_next/image?w=640', 'no `url`'],
    ['next-image', '/_next/image?url=%2F%2Fcdn.test%2Fa.png&w=640', 'has no scheme'],
    ['next-image', '/_next/image?url=%2Fa.png&w=640', '--origin'],
    ['aws-samples', '/', 'no path'],
    ['ipx', '/w_300', 'no modifiers and source'],
    ['ipx', '/_/https://user:secret@x.test/a', 'credentials'],
  ] as const)('is refused with the reason: %s %s', (service, url, reason) => {
    expect(() => translated(service, url)).toThrow(reason);
  });
});
