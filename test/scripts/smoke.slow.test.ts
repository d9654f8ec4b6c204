import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { runCommandInProcess } from '../support/command.ts';
import { temporaryFolder } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { SIGNING_KEYS } from '../support/server-process.ts';
import {
  type Answer,
  type Change,
  type SmokeStep,
  STEPS,
  setUpCdn,
  setUpService,
  smoke,
  startChangedService,
  startImpostor,
  startTestServer,
} from '../support/smoke-services.ts';
import { createBucket, describeS3, s3Server } from '../support/store/bucket.ts';

/** The states of the steps, by their names. */
const statesOf = (steps: readonly SmokeStep[]) =>
  Object.fromEntries(steps.map(({ step, state }) => [step, state]));
const seenAt = (steps: readonly SmokeStep[], name: string) =>
  steps.find(({ step }) => step === name)?.seen ?? '';
const allOk = Object.fromEntries(STEPS.map((step) => [step, 'ok']));

/** Steps that need originals of our own, which smoke can only put into a bucket. */
const OF_OUR_OWN = ['damaged, twice', 'large image'];
const skippedWithSource = Object.fromEntries(OF_OUR_OWN.map((step) => [step, 'skipped']));

const SRC = ['--src', 'https://x.test/a.jpg'];

/** The folders of the files that smoke has left, without what the server and every purge keep: the lease of the queue, the time of the last purge. */
async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.endsWith('.tmp'));
  const left = files.filter(({ name }) => name !== 'last' && name !== 'queue.json');
  return left.map(({ parentPath }) => parentPath.slice(folder.length));
}

const withHeaders = (answer: Answer, headers: Record<string, string>): Answer => ({
  ...answer,
  headers: { ...answer.headers, ...headers },
});

/** Redirects to large images, as the function on Lambda does. */
function redirectLarge(cacheControl: string): Change {
  return (_request, answer) => {
    if (answer.body.length < 4_500_000) return answer;
    return { ...answer, status: 302, headers: { location: answer.url, 'cache-control': cacheControl } };
  };
}

/** A URL at which nothing listens. */
async function unusedUrl(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

describe('the command smoke', () => {
  it('passes every step on one machine, and leaves only the tombstones of its purges', async () => {
    const { url, src, store, folder } = await setUpService();
    const { status, stdout, stderr } = await runCommandInProcess(['smoke', url, '--src', src], {
      SIGNING_KEYS,
      ...store,
    });
    expect(status).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split(/ {2,}/).slice(0, 2))).toEqual(
      STEPS.map((step) => [[...OF_OUR_OWN, 'edge hit'].includes(step) ? 'skipped' : 'ok', step]),
    );
    expect(stdout).toMatch(
      /first request .* 200 image\/avif, [\d.]+ kB, cache-status: edgepress; fwd=miss; stored, \d+ ms, 320×\d+\n/,
    );
    expect(stdout).toMatch(/second request .* cache-status: edgepress; hit, /);
    expect(stdout).toMatch(/edge hit +no CDN in front\n/);
    expect(stdout).toMatch(
      /If-None-Match +304, .*\nok +purge +3 objects\n.*after the purge .* fwd=miss; stored/,
    );
    expect(stderr).toMatch(/^Unit smoke-[0-9a-f-]{36}, http:\/\/127\.0\.0\.1:\d+\/a\.jpg\n$/);
    expect(await filesIn(folder)).toEqual(['/purged', '/purged']);
  });

  it('passes every step behind a CDN, and waits for the invalidation', async () => {
    const { url, run, origin } = await setUpService();
    const { url: cdnUrl, env, cloudFront } = await setUpCdn(url);
    const { status, steps } = await run(env, cdnUrl);
    expect(statesOf(steps)).toEqual({ ...allOk, ...skippedWithSource });
    expect(status).toBe(0);
    expect(seenAt(steps, 'second request')).toMatch(/fwd=miss; stored, x-cache: Hit from cloudfront/);
    expect(seenAt(steps, "the store's copy")).toMatch(
      /kB, x-cache: Miss from cloudfront, .* etag: "[0-9a-f]{32}"/,
    );
    expect(seenAt(steps, 'edge hit')).toMatch(/kB, x-cache: Hit from cloudfront/);
    expect(seenAt(steps, 'purge')).toMatch(/^3 objects, and the CDN has forgotten it \(I1\)$/);
    // Of the purge, of the early one, and of both units at the end.
    expect(cloudFront.invalidations().map((tags) => tags.length)).toEqual([1, 1, 2]);
    expect(cloudFront.gets()).toHaveLength(2);
    const paths = origin.requests.map((path) => path.replace(/x{9,}/, 'xxx'));
    expect(paths.toSorted()).toEqual([...Array(5).fill('/a.jpg'), '/a.jpg?x-smoke=xxx']);
  });

  it('fails behind a CDN that is not configured', async () => {
    const { url, run } = await setUpService();
    const { url: cdnUrl } = await setUpCdn(url);
    const { status, steps } = await run({}, cdnUrl);
    expect(status).toBe(2);
    expect(seenAt(steps, 'purge')).toMatch(/a CDN in front, and CDN is not set/);
    expect(seenAt(steps, 'last purge')).toMatch(/^3 objects, but the CDN keeps its copies of unit smoke-/);
  });

  it('fails when STORE is not the store of the service', async () => {
    const { run } = await setUpService();
    const { status, steps } = await run({ STORE: `file:${await temporaryFolder()}` });
    expect(status).toBe(2);
    expect(statesOf(steps)).toMatchObject({
      'If-None-Match': 'ok',
      purge: 'failed',
      'after the purge': 'skipped',
      'last purge': 'failed',
    });
    expect(seenAt(steps, 'purge')).toMatch(/STORE is not the store of this service/);
    expect(seenAt(steps, 'last purge')).toMatch(
      /^unit smoke-[0-9a-f-]{36} is still in the service's store; purge it there$/,
    );
  });

  it('fails when the service accepts unsigned URLs', async () => {
    const { run } = await setUpService({ SIGNING_KEYS: '' });
    const { status, steps } = await run();
    expect(status).toBe(2);
    const skipped = Object.fromEntries(STEPS.slice(2, -1).map((step) => [step, 'skipped']));
    expect(statesOf(steps)).toEqual({
      'unsigned URL': 'failed',
      'first request': 'failed',
      ...skipped,
      'last purge': 'ok',
    });
    expect(seenAt(steps, 'purge')).toBe('not tried: first request failed');
    expect(seenAt(steps, 'unsigned URL')).toMatch(/^200 image\/avif, .*: expected 403 bad_signature/);
    expect(seenAt(steps, 'first request')).toMatch(
      /^403 bad_signature \(The URL is signed, but no signing keys .*: SIGNING_KEYS differs/,
    );
  });

  it('fails and says why when the service may not fetch the source', async () => {
    const { run } = await setUpService({ SOURCE_ALLOW_PRIVATE: '' });
    const { status, steps } = await run();
    expect(status).toBe(2);
    expect(seenAt(steps, 'first request')).toMatch(
      /^403 source_forbidden \(.*\): give an original that SOURCE_ALLOW allows, with --src/,
    );
  });

  it.each<[string, { type: string; half?: true; cacheStatus?: string }, RegExp]>([
    [
      'an image of another type than it says',
      { type: 'image/avif' },
      /image\/avif, .*: it is jpeg, which does not match its content type$/,
    ],
    ['a type that is not an image', { type: 'text/html' }, /text\/html, .*: not an image type/],
    ['a truncated image', { type: 'image/jpeg', half: true }, /cannot be decoded: /],
    ['a hit to the first request', { type: 'image/jpeg', cacheStatus: 'edgepress; hit' }, /expected a miss/],
    [
      'an image that it has not stored',
      { type: 'image/jpeg', cacheStatus: 'edgepress; fwd=miss' },
      /it was not stored/,
    ],
  ])('fails when the service responds with %s', async (_, how, said) => {
    const jpeg = await photograph();
    const { type, half, cacheStatus = 'edgepress; fwd=miss; stored' } = how;
    const url = await startImpostor((response) => {
      const headers = { 'content-type': type, 'cache-status': cacheStatus };
      response.writeHead(200, headers).end(half ? jpeg.subarray(0, jpeg.length / 2) : jpeg);
    });
    const STORE = `file:${await temporaryFolder()}`;
    const { status, steps } = await smoke(url, ['--src', 'https://x.test/a.jpg'], { STORE });
    expect(status).toBe(2);
    expect(seenAt(steps, 'first request')).toMatch(said);
  });

  it('says that nothing listens, or that the connection was closed', async () => {
    const STORE = `file:${await temporaryFolder()}`;
    const down = await smoke(await unusedUrl(), ['--src', 'https://x.test/a.jpg'], { STORE });
    expect(down).toMatchObject({ status: 1, steps: [] });
    expect(down.stderr).toMatch(
      /The service cannot be reached: nothing listens at 127\.0\.0\.1:\d+ \(ECONNREFUSED\)\.\n$/,
    );
    const url = await startImpostor((response) => response.destroy());
    const { status, steps } = await smoke(url, ['--src', 'https://x.test/a.jpg'], { STORE });
    expect(status).toBe(2);
    expect(seenAt(steps, 'first request')).toMatch(/^127\.0\.0\.1:\d+ closed the connection \(/);
  });

  it.each<[string, string, string[], Record<string, string>, RegExp]>([
    [
      'signing keys are missing',
      'http://127.0.0.1:1',
      SRC,
      { SIGNING_KEYS: '' },
      /^SIGNING_KEYS is not set\. .*unsigned URLs are refused.* those that the server was started with, .*npx edgepress env/,
    ],
    [
      'an original is missing, before missing signing keys',
      'http://127.0.0.1:1',
      [],
      { SIGNING_KEYS: '' },
      /STORE is a folder, .* --src\.\n$/,
    ],
    [
      'the original is not a URL, before missing signing keys',
      'http://127.0.0.1:1',
      ['--src', 'a.jpg'],
      { SIGNING_KEYS: '' },
      /^--src: `src` /,
    ],
    [
      'the URL of the service is not absolute',
      '127.0.0.1:1',
      SRC,
      { SIGNING_KEYS: '' },
      /^"127\.0\.0\.1:1" is not the URL of a service: it must be/,
    ],
    [
      'the URL of the service is empty',
      '',
      SRC,
      { SIGNING_KEYS: '' },
      /^"" is not the URL of a service: PUBLIC_URL is probably empty\. .*npx edgepress env/,
    ],
  ])('ends with 1 before any request when %s', async (_, url, args, env, message) => {
    const STORE = `file:${await temporaryFolder()}`;
    const { status, stdout, stderr } = await smoke(url, args, { STORE, ...env });
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(message);
  });
});

describe('the command smoke says what it means and what to do', () => {
  it.each<[string, string, Change, string, RegExp]>([
    [
      'OPTIONS is refused',
      'OPTIONS',
      ({ method }, answer) => (method === 'OPTIONS' ? { ...answer, status: 403, headers: {} } : answer),
      'failed',
      /^403.*: expected 204 with Access-Control-Allow-Origin: \*.* is it still that of this deployment\?$/,
    ],
    [
      'HEAD of a miss has the length of no body',
      'HEAD of a miss',
      ({ method }, answer) => (method === 'HEAD' ? withHeaders(answer, { 'content-length': '7' }) : answer),
      'failed',
      /Content-Length is 7, where GET has \d+ bytes: clients take the image for damaged$/,
    ],
    [
      'a function URL renames the length',
      'HEAD of a miss',
      ({ method }, answer) => {
        if (method !== 'HEAD') return answer;
        const { 'content-length': length = '', ...headers } = answer.headers;
        return { ...answer, headers: { ...headers, 'x-amzn-remapped-content-length': length } };
      },
      'ok',
      /^200 .*, no Content-Length, which Lambda has renamed \(\d+\)$/,
    ],
    [
      'long URLs are refused',
      'long URL',
      ({ url }, answer) => (url.length > 3000 ? { ...answer, status: 403, headers: {} } : answer),
      'failed',
      /^403.*: the original's URL has 4,000 characters\. On AWS, a web ACL limits .*, or the edge function/,
    ],
    [
      'the CDN keeps its copy of the first response',
      'early purge',
      ({ url }, answer, nth) =>
        url.includes('-early?') && nth > 1
          ? withHeaders(answer, { 'x-cache': 'Hit from cloudfront' })
          : answer,
      'ok',
      /the CDN still sends its copy of the first response, .* for a minute at most$/,
    ],
  ])('when %s', async (_, step, change, state, said) => {
    const { url, run } = await setUpService();
    const { steps } = await run({}, await startChangedService(url, change));
    expect(statesOf(steps)[step]).toBe(state);
    expect(seenAt(steps, step)).toMatch(said);
  });
});

describeS3('the command smoke on a bucket', () => {
  async function setUpBucket() {
    const { bucket, client } = await createBucket();
    const { endpoint, accessKeyId, secretAccessKey } = s3Server();
    const env = {
      STORE: `s3://${bucket}`,
      S3_ENDPOINT: endpoint,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
    };
    const SOURCE_ALLOW_PRIVATE = new URL(endpoint).host;
    const url = await startTestServer({ ...env, SOURCE_ALLOW_PRIVATE });
    return { bucket, client, env, url };
  }

  it('fails when each view of a damaged image costs a fetch, and when a CDN could keep the redirect to a large one', async () => {
    const { env, url } = await setUpBucket();
    const change: Change = (request, answer, nth) =>
      answer.status === 422 && nth > 1
        ? { ...answer, status: 404 }
        : redirectLarge('max-age=60')(request, answer, nth);
    const { steps } = await smoke(await startChangedService(url, change), [], env);
    expect(statesOf(steps)).toMatchObject({ 'damaged, twice': 'failed', 'large image': 'failed' });
    expect(seenAt(steps, 'damaged, twice')).toMatch(
      /: expected the same again, .*: each view of a damaged image costs a fetch\./,
    );
    expect(seenAt(steps, 'large image')).toMatch(/^302.*: expected Cache-Control: no-store/);
  });

  it('follows the redirect to a large image', async () => {
    const { env, url } = await setUpBucket();
    const { steps } = await smoke(await startChangedService(url, redirectLarge('no-store')), [], env);
    expect(statesOf(steps)['large image']).toBe('ok');
    expect(seenAt(steps, 'large image')).toMatch(
      /^302 to 127\.0\.0\.1:\d+, 200 image\/jpeg, \d.* MB.*; again a redirect$/,
    );
  });

  it('puts a photograph into the bucket for the service to fetch, and deletes it afterwards', async () => {
    const { bucket, client, env, url } = await setUpBucket();
    const left = async () => {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
      return Contents.map(({ Key = '' }) => Key).filter((key) => !/^purged\/|^leases\//.test(key));
    };
    const { status, steps, stderr } = await smoke(url, [], env);
    expect(statesOf(steps)).toEqual({ ...allOk, 'edge hit': 'skipped', 'our photograph': 'ok' });
    expect(status).toBe(0);
    expect(stderr).not.toMatch(/X-Amz-/);
    expect(seenAt(steps, 'damaged, twice')).toMatch(/^422 .* again without a fetch in \d+ ms$/);
    expect(seenAt(steps, 'large image')).toMatch(/^200 image\/jpeg, \d.* MB, .*: without a redirect$/);
    expect(await left()).toEqual([]);

    const down = await smoke(await unusedUrl(), [], env);
    expect(down.status).toBe(1);
    expect(await left()).toEqual([]);
  });
});
