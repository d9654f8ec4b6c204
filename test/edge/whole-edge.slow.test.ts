import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { buildEdgeFunction } from '../../infra/bundle/build-edge-function.ts';
import { createCloudFrontCdn } from '../../src/cdn/cloudfront-cdn.ts';
import { sha256 } from '../../src/hashing.ts';
import { createPurge } from '../../src/purge/purge.ts';
import { createTombstones } from '../../src/purge/tombstones.ts';
import { createS3Store } from '../../src/store/s3-store.ts';
import { credentials, DISTRIBUTION, startCloudFront } from '../support/cloudfront.ts';
import { type Nginx, startNginx } from '../support/edge/nginx.ts';
import { describeEdge } from '../support/edge/njs.ts';
import { KEYS_TEXT, sign } from '../support/edge/requests.ts';
import { codeOf, startOrigin, until } from '../support/http/service.ts';
import { bootFunction, buildArtifact, createStoreEnvironment } from '../support/lambda/artifact.ts';
import { startFunctionUrl } from '../support/lambda/function-url.ts';
import { photograph } from '../support/pictures.ts';
import { STEPS, smoke } from '../support/smoke-services.ts';
import { describeS3 } from '../support/store/bucket.ts';

const LADDER = { widths: [160, 320, 480, 720, 1080, 1600, 2048], defaultWidth: 1080 };
/** The default, except that the CDN has to get the store each time. */
const UNCACHED = { CACHE_CONTROL: 'public, max-age=604800, s-maxage=0' };

describeEdge('The whole edge', () => {
  describeS3('The edge function, a cache, a bucket and the image function together', () => {
    let artifact: Awaited<ReturnType<typeof buildArtifact>>;
    beforeAll(async () => {
      artifact = await buildArtifact();
    });
    afterAll(() => artifact.remove());

    async function setUp(
      more: Record<string, string> = {},
      { isStoreDown = false, isStoreASource = false } = {},
    ) {
      const photo = await photograph();
      const origin = await startOrigin((_request, response) => response.end(photo));
      const { bucket, client, env } = await createStoreEnvironment();
      // What origin access control grants: GetObject, but not ListBucket.
      const statement = {
        Effect: 'Allow',
        Principal: '*',
        Action: 's3:GetObject',
        Resource: `arn:aws:s3:::${bucket}/*`,
      };
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
      await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
      const lambda = await bootFunction(artifact.folder, 'lambda-image', {
        ...env,
        SOURCE_ALLOW_PRIVATE: isStoreASource ? new URL(env.S3_ENDPOINT).host : origin.authority,
        ...more,
      });
      const functionUrl = await startFunctionUrl(lambda);
      onTestFinished(() => functionUrl.stop());
      const nginx = await startNginx({
        code: buildEdgeFunction(LADDER),
        keys: KEYS_TEXT,
        store: isStoreDown ? '127.0.0.1:1/none' : `${new URL(env.S3_ENDPOINT).host}/${bucket}`,
        functionUrl: `127.0.0.1:${functionUrl.port}`,
      });
      const target = (path: string, rest = '&w=320&f=webp', unit = 'unit-1') =>
        sign(`/u/${unit}?src=${encodeURIComponent(`${origin.url}${path}`)}${rest}`);
      const get = (sent: string, headers: Record<string, string> = {}) => send(nginx.url, sent, headers);
      return { bucket, client, env, origin, functionUrl, nginx, target, get };
    }

    it('makes a variant on the first request, and serves it from the bucket without the function from then on', async () => {
      const { get, functionUrl, target } = await setUp(UNCACHED);
      const sent = target("/it's (1) + 100%25.jpg");
      const made = await get(sent);
      const body = Buffer.from(await made.arrayBuffer());
      expect([made.status, made.headers.get('cache-status')]).toEqual([200, 'edgepress; fwd=miss; stored']);
      expect(made.headers.get('etag')).toBeNull();

      const stored = await get(sent);
      expect(Buffer.from(await stored.arrayBuffer()).equals(body)).toBe(true);
      expect(stored.headers.get('cache-status')).toBeNull();
      expect(stored.headers.get('etag')).toMatch(/^"[0-9a-f]{32}"$/);
      expect(stored.headers.get('x-amz-meta-cache-tag')).toBe(made.headers.get('x-amz-meta-cache-tag'));
      expect(stored.headers.get('cache-control')).toBe(UNCACHED.CACHE_CONTROL);
      expect(functionUrl.requests).toHaveLength(1);
    });

    it('caches one copy for all requests whose headers choose the same variant', async () => {
      const { get, functionUrl, target } = await setUp();
      const sent = target('/a.jpg', '&w=300');
      const accepts = ['image/avif,image/webp,*/*;q=0.8', 'image/png,image/avif;q=0.5', 'IMAGE/AVIF'];
      const responses: Response[] = [];
      for (const accept of accepts) responses.push(await get(sent, { accept }));
      expect(responses.map(({ headers }) => headers.get('x-cache'))).toEqual([
        'Miss from nginx',
        'Hit from nginx',
        'Hit from nginx',
      ]);
      const webp = await get(sent, { accept: 'image/webp' });
      expect([webp.headers.get('x-cache'), webp.headers.get('content-type')]).toEqual([
        'Miss from nginx',
        'image/webp',
      ]);
      expect(functionUrl.requests).toHaveLength(2);
    });

    it('calls the function once for a hundred concurrent requests of one variant', async () => {
      const { get, functionUrl, origin, target } = await setUp();
      const sent = target('/a.jpg');
      const bodies = await Promise.all(
        Array.from({ length: 100 }, async () => Buffer.from(await (await get(sent)).arrayBuffer())),
      );
      expect(new Set(bodies.map((body) => body.toString('base64'))).size).toBe(1);
      expect([functionUrl.requests.length, origin.requests.length]).toEqual([1, 1]);
    });

    it.each<[string, string, (signed: string, sign: (rest: string) => string) => string]>([
      ['an unsigned URL', 'bad_signature', (signed) => signed.split('&sig=')[0] ?? ''],
      ['a forged signature', 'bad_signature', (signed) => `${signed}x`],
      ['an expired URL', 'expired', (_signed, signWith) => signWith('&exp=1')],
      ['a malformed URL', 'bad_request', (_signed, signWith) => signWith('&w=0')],
      ['the key of a variant', 'not_found', () => '/v1/ab/unit-1/x/320-balanced.webp'],
      ['a unit route', 'not_found', () => '/units'],
    ])('refuses %s with %s before bucket and function', async (_name, code, targetOf) => {
      const { get, functionUrl, target } = await setUp();
      const refused = targetOf(target('/a.jpg'), (rest) => target('/a.jpg', rest));
      expect(await codeOf(await get(refused))).toBe(code);
      expect(functionUrl.requests).toEqual([]);
    });

    it('serves nothing of a purged unit, from neither the bucket nor the cache', async () => {
      const { get, bucket, client, functionUrl, nginx, target } = await setUp();
      const cloudfront = await startCloudFront({ onInvalidation: invalidateTags(nginx) });
      const cdn = createCloudFrontCdn({
        distribution: DISTRIBUTION,
        endpoint: cloudfront.endpoint,
        credentials,
      });
      onTestFinished(() => cdn.close());
      const store = createS3Store({ bucket, client });
      const tombstones = createTombstones(store, sha256, Date.now);
      const purge = createPurge({ store, tombstones, cdn, sha256, nowMs: Date.now });

      const served: string[] = [];
      const request = async (sent: string) => {
        const { headers } = await get(sent);
        served.push(headers.get('cache-status') ?? headers.get('x-cache') ?? '');
      };
      const sent = target('/a.jpg');
      const other = target('/a.jpg', '&w=320&f=webp', 'unit-2');
      for (const each of [sent, other]) await request(each);
      // nginx writes a copy while it answers, so that the copy may be complete a moment after the response.
      await until(() => copiesOf(nginx).length === 2);
      // As if the minute of untagged copies was over.
      removeCopies(nginx, () => true);
      for (const each of [sent, other, sent, other]) await request(each);
      expect(await purge(['unit-1'])).toMatchObject({
        units: [{ objects: 1 }],
        invalidations: [{ tags: 1 }],
      });
      for (const each of [sent, other]) await request(each);
      const made = 'edgepress; fwd=miss; stored';
      const [fromStore, fromCopy] = ['Miss from nginx', 'Hit from nginx'];
      expect(served).toEqual([made, made, fromStore, fromStore, fromCopy, fromCopy, made, fromCopy]);
      expect(functionUrl.requests).toHaveLength(3);
    });

    it('passes the smoke test that operators run after a deployment', async () => {
      // Longer than the steps in between take, and soon over.
      const cacheControl = 'public, max-age=604800, s-maxage=2';
      const { env, nginx } = await setUp({ CACHE_CONTROL: cacheControl }, { isStoreASource: true });
      const cloudfront = await startCloudFront({ onInvalidation: invalidateTags(nginx) });
      const { status, steps, stderr } = await smoke(nginx.url, [], {
        ...env,
        SIGNING_KEYS: KEYS_TEXT,
        CDN: `cloudfront:${DISTRIBUTION}`,
        CLOUDFRONT_ENDPOINT: cloudfront.endpoint,
      });
      expect(
        steps.map(({ step, state }) => [step, state]),
        stderr,
      ).toEqual([...STEPS, 'our photograph'].map((step) => [step, 'ok']));
      expect(status).toBe(0);
    });

    it('serves images while the bucket does not answer', async () => {
      const { get, functionUrl, target } = await setUp({}, { isStoreDown: true });
      const response = await get(target('/a.jpg'));
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/webp']);
      expect(functionUrl.requests).toHaveLength(1);
    });
  });
});

/** Removes copies by tag like CloudFront: a copy goes with any of its tags. */
function invalidateTags(nginx: Nginx): (paths: readonly string[]) => void {
  return (paths) => removeCopies(nginx, (copy) => paths.some((path) => copy.includes(path.slice(1))));
}

/** Removes the matching copies from nginx's cache. */
function removeCopies(nginx: Nginx, matches: (copy: string) => boolean): void {
  for (const path of copiesOf(nginx)) if (matches(readFileSync(path, 'latin1'))) rmSync(path);
}

/** Returns the paths of the complete copies. The name of one that is being written has a number after a dot. */
function copiesOf({ cacheFolder }: Nginx): readonly string[] {
  const names = readdirSync(cacheFolder).filter((name) => /^[0-9a-f]{32}$/.test(name));
  return names.map((name) => join(cacheFolder, name));
}

/** Sends exactly this target, which `fetch` would rewrite. */
async function send(url: string, path: string, headers: Record<string, string>): Promise<Response> {
  const sent = httpRequest(url, { path, headers });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const body = await buffer(response);
  const status = response.statusCode ?? 0;
  return new Response(status === 304 ? null : body, {
    status,
    headers: response.headers as Record<string, string>,
  });
}
