import type { IncomingHttpHeaders } from 'node:http';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { oddTargets } from '../support/deploy/odd-targets.ts';
import { ADMIN_TOKEN, startProxied } from '../support/deploy/proxies.ts';
import { KEYS_TEXT } from '../support/edge/requests.ts';
import { startOrigin, targetFor, until } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { prepared } from '../support/setup/prepared.ts';

/** What browsers and HTTP clients send, or have sent, for an image: https://developer.mozilla.org/docs/Web/HTTP/Guides/Content_negotiation/List_of_default_Accept_values */
const ACCEPTS = [
  ['image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8', 'image/avif'],
  ['image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5', 'image/avif'],
  ['image/avif,image/webp,*/*', 'image/avif'],
  ['image/webp,image/avif;q=0.1', 'image/avif'],
  ['IMAGE/AVIF', 'image/avif'],
  ['image/webp,image/apng,image/*,*/*;q=0.8', 'image/webp'],
  ['image/webp,*/*', 'image/webp'],
  ['image/webp,image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5', 'image/webp'],
  ['image/avif;q=0,image/webp', 'image/webp'],
  ['image/avif; q=0.00 ,image/webp;q=0.5', 'image/webp'],
  ['*/*', 'image/jpeg'],
  ['image/*', 'image/jpeg'],
  ['image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5', 'image/jpeg'],
  ['text/html', 'image/jpeg'],
  ['image/webp;q=0', 'image/jpeg'],
  ['', 'image/jpeg'],
] as const;

describe.skipIf((await prepared('edge')) ?? (await prepared('deploy'))).each(['nginx', 'varnish'] as const)(
  '%s in front',
  (name) => {
    /** A cache before a service, and a picture that can be replaced. */
    async function setUp(env: Record<string, string> = {}) {
      let picture = await photograph();
      let status = 200;
      const origin = await startOrigin((_request, response) => {
        response.writeHead(status).end(picture);
      });
      const proxied = await startProxied(name, { SOURCE_ALLOW_PRIVATE: origin.authority, ...env });
      const src = `${origin.url}/photo.jpg`;
      return {
        ...proxied,
        src,
        async replacePicture() {
          picture = await sharp({ create: { width: 320, height: 213, channels: 3, background: '#c04' } })
            .jpeg()
            .toBuffer();
        },
        failOrigin() {
          status = 500;
        },
        target: (unit: string, width = 160) => targetFor(src, { unit, width, format: 'webp' }),
      };
    }

    it('answers an image again without asking the service, with the same bytes and headers', async () => {
      const { get, target, reached } = await setUp();
      const first = await get(target('unit-1'));
      expect([first.status, first.headers['content-type']]).toEqual([200, 'image/webp']);
      const second = await get(target('unit-1'));
      expect(second.body.equals(first.body)).toBe(true);
      for (const header of [
        'etag',
        'content-type',
        'content-length',
        'access-control-allow-origin',
        'cache-control',
      ])
        expect([header, second.headers[header]]).toEqual([header, first.headers[header]]);
      expect(reached()).toBe(1);
      expect((await get(target('unit-1'), {}, 'HEAD')).headers['content-length']).toBe(
        first.headers['content-length'],
      );
      expect(reached()).toBe(1);
    });

    it('forgets the images of a unit that is purged, and of no other', async () => {
      const { get, target, reached, operate, replacePicture } = await setUp();
      const before = await get(target('unit-1'));
      await get(target('unit-1', 320));
      const other = await get(target('unit-10'));
      expect(reached()).toBe(3);
      await replacePicture();
      expect((await get(target('unit-1'))).body.equals(before.body)).toBe(true);

      expect(await operate('DELETE', '/units/unit-1')).toMatchObject({
        objects: 2,
        invalidations: [{ tags: 1 }],
      });
      const after = await get(target('unit-1'));
      expect([after.status, after.body.equals(before.body)]).toEqual([200, false]);
      await get(target('unit-1', 320));
      expect(reached()).toBe(5);
      expect((await get(target('unit-10'))).body.equals(other.body)).toBe(true);
      expect((await get(target('unit-1'))).body.equals(after.body)).toBe(true);
      expect(reached()).toBe(5);
    });

    it('forgets them again with each purge, and those of many units at once', async () => {
      const { get, target, reached, operate } = await setUp();
      const units = Array.from({ length: 120 }, (_, index) => `unit-${index}`);
      for (const turn of [1, 2, 3]) {
        await get(target('unit-0'));
        await get(target('unit-119'));
        expect(reached()).toBe(2 * turn);
        const purged = await operate('POST', '/units/purge', JSON.stringify({ ids: units }));
        expect(purged).toMatchObject({ invalidations: [{ tags: 100 }, { tags: 20 }] });
      }
    });

    it('forgets the images of a group that is purged', async () => {
      const { get, reached, operate, src, service } = await setUp({
        PREWARM_WIDTHS: '160',
        PREWARM_EFFORT: 'fast',
      });
      await operate(
        'POST',
        '/units',
        JSON.stringify({ id: 'unit-1', images: [src], group: 'client-7', formats: ['webp'] }),
      );
      await until(async () => (await service.unitServices.queue.depth()) === 0);
      const target = targetFor(src, { unit: 'unit-1', width: 160, format: 'webp' });
      await get(target);
      await get(target);
      expect(reached()).toBe(1);
      expect(await operate('POST', '/units/purge', '{"group":"client-7"}')).toMatchObject({ units: 1 });
      await get(target);
      expect(reached()).toBe(2);
    });

    it('keeps three copies for all values of Accept, and one for a URL with f', async () => {
      const { get, src, reached } = await setUp();
      const negotiated = targetFor(src, { unit: 'unit-1', width: 160 });
      for (const [accept, type] of ACCEPTS) {
        const { headers } = await get(negotiated, accept === '' ? {} : { accept });
        expect([accept, headers['content-type'], headers['vary']]).toEqual([
          accept,
          // The service sends a JPEG where that is smaller than what the client displays beside it.
          expect.stringMatching(`^(${type}|image/jpeg)$`),
          expect.stringMatching(/accept/i),
        ]);
      }
      expect(reached()).toBe(3);
      const named = targetFor(src, { unit: 'unit-1', width: 160, format: 'avif' });
      for (const [accept] of ACCEPTS) await get(named, accept === '' ? {} : { accept });
      expect(reached()).toBe(4);
    });

    it('keeps copies for Save-Data apart, unless the URL has q', async () => {
      const { get, src, reached } = await setUp();
      const plain = targetFor(src, { unit: 'unit-1', width: 160, format: 'webp' });
      const normal = await get(plain);
      const saver = await get(plain, { 'save-data': 'on' });
      expect(saver.body.length).toBeLessThan(normal.body.length);
      expect((await get(plain, { 'save-data': 'on' })).body.equals(saver.body)).toBe(true);
      expect((await get(plain, { 'save-data': 'off' })).body.equals(normal.body)).toBe(true);
      expect(reached()).toBe(2);
      const named = targetFor(src, { unit: 'unit-1', width: 160, format: 'webp', tier: 'high' });
      await get(named);
      await get(named, { 'save-data': 'on' });
      expect(reached()).toBe(3);
    });

    it('passes on the bytes of the target that were signed, however odd and long', async () => {
      const { get, src, reached } = await setUp({ SIGNING_KEYS: KEYS_TEXT });
      const targets = oddTargets(src);
      for (const target of targets) {
        expect([target, (await get(target)).status]).toEqual([target, 200]);
        expect((await get(target)).status).toBe(200);
        expect((await get(`${target}x`)).status).toBe(403);
      }
      // Nobody gets the refusal of another's URL, or the image of one that is signed.
      expect(reached()).toBe(2 * targets.length);
    });

    it('answers a part, and that nothing has changed, from its copy', async () => {
      const { get, target, reached } = await setUp();
      // nginx and Varnish fetch the whole for a part.
      const part = await get(target('unit-1'), { range: 'bytes=0-9' });
      expect([part.status, part.body.length]).toEqual([206, 10]);
      const whole = await get(target('unit-1'));
      expect(part.body.equals(whole.body.subarray(0, 10))).toBe(true);
      const end = await get(target('unit-1'), { range: 'bytes=-5' });
      expect(end.body.equals(whole.body.subarray(-5))).toBe(true);
      const unchanged = await get(target('unit-1'), { 'if-none-match': whole.headers['etag'] ?? '' });
      expect([unchanged.status, unchanged.body.length]).toEqual([304, 0]);
      expect(reached()).toBe(1);
    });

    it('asks the service once for an image that many ask for at the same time', async () => {
      const { get, target, reached } = await setUp();
      const answers = await Promise.all(Array.from({ length: 20 }, () => get(target('unit-1'))));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(reached()).toBe(1);
    });

    it('keeps serving its copies while the service is down, even when they have expired', async () => {
      const { get, target, stopService } = await setUp({ CACHE_CONTROL: 'public, max-age=1, s-maxage=1' });
      const first = await get(target('unit-1'));
      expect(first.headers['cache-control']).toContain('s-maxage=1');
      await stopService();
      const isExpired = (headers: IncomingHttpHeaders) =>
        name === 'nginx'
          ? headers['cache-status']?.includes('detail=stale') === true
          : Number(headers['age']) > 1;
      await until(async () => {
        const again = await get(target('unit-1'));
        expect([again.status, again.body.equals(first.body)]).toEqual([200, true]);
        return isExpired(again.headers);
      });
      expect((await get(target('unit-2'))).status).toBeGreaterThanOrEqual(500);
    });

    it('refuses a purge without tags, and one of what is no tag', async () => {
      const { cdn, get } = await setUp();
      for (const headers of [{}, { 'cache-tag': 'u-1' }, { 'cache-tag': `u-${'0'.repeat(32)})||.*(` }]) {
        const { status } = await fetch(cdn ?? '', { method: 'PURGE', headers });
        expect([headers, status]).toEqual([headers, 400]);
      }
      expect((await get('/healthz')).status).toBe(200);
    });

    it('does not lead to what operators use, whatever the path is', async () => {
      const { get, service } = await setUp();
      const authorization = `Bearer ${ADMIN_TOKEN}`;
      const paths = ['/', '/units', '/units/unit-1', '/metrics', '/u/../units', '//units', '/u/%2e%2e/units'];
      for (const path of paths) {
        const { status } = await get(path, { authorization });
        expect([path, status >= 400]).toEqual([path, true]);
      }
      const answered = service.log.filter(({ msg, status }) => msg === 'request' && status === 200);
      expect(answered.map(({ outcome }) => outcome)).toEqual(answered.map(() => undefined));
      expect((await get('/healthz')).status).toBe(200);
    });
  },
);
