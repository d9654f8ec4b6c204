import type { IncomingMessage, ServerResponse } from 'node:http';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { startServer } from '../../src/http/service.ts';
import { CREDENTIALS } from './aws/signatures.ts';
import { DISTRIBUTION, startCloudFront } from './cloudfront.ts';
import { type Ended, parseLines, runCommandInProcess } from './command.ts';
import { startOrigin, temporaryFolder } from './http/service.ts';
import { photograph } from './pictures.ts';
import { SIGNING_KEYS } from './server-process.ts';
import { serve } from './source/loopback.ts';

/** The steps of `smoke`, in order. */
export const STEPS = [
  'unsigned URL',
  'first request',
  'second request',
  'OPTIONS',
  'HEAD of a miss',
  'long URL',
  'damaged, twice',
  'large image',
  "the store's copy",
  'edge hit',
  'HEAD',
  'If-None-Match',
  'purge',
  'after the purge',
  'early purge',
  'last purge',
];

export interface SmokeStep {
  step: string;
  state: string;
  seen: string;
}

/** Runs `smoke --json` in this process. */
export async function smoke(
  url: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended & { steps: SmokeStep[] }> {
  const ended = await runCommandInProcess(['smoke', url, '--json', ...args], { SIGNING_KEYS, ...env });
  return { ...ended, steps: parseLines(ended.stdout) as unknown as SmokeStep[] };
}

/** Starts the service on a folder of its own in this process, and an origin with a photograph. `run` runs `smoke` on both. */
export async function setUpService(env: Record<string, string> = {}) {
  const photo = await photograph();
  const origin = await startOrigin((_request, response) => response.end(photo));
  const folder = await temporaryFolder();
  const url = await startTestServer({
    ...{ STORE: `file:${folder}`, SOURCE_ALLOW_PRIVATE: origin.authority },
    ...env,
  });
  const src = `${origin.url}/a.jpg`;
  const store = { STORE: `file:${folder}` };
  return {
    ...{ origin, src, store, url, folder },
    run: (more: Record<string, string> = {}, at = url) => smoke(at, ['--src', src], { ...store, ...more }),
  };
}

/** Starts the server in this process, with signing keys, on any port. Returns its URL. */
export async function startTestServer(env: Record<string, string>): Promise<string> {
  const config = readConfig({ PORT: '0', SIGNING_KEYS, ...env });
  const server = await startServer(config, pino({ level: 'silent' }));
  onTestFinished(() => server.close());
  return server.url;
}

interface Copy {
  isOfMiss: boolean;
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/**
 * Starts a CDN in front of a service. It keeps every response that is not an error, sends its copy of a miss once and then asks the
 * service again, and forgets everything at an invalidation.
 *
 * @param missSeconds - the `s-maxage` of its responses
 */
export async function setUpCdn(serviceUrl: string, missSeconds = 1) {
  const kept = new Map<string, Copy>();
  const cloudFront = await startCloudFront({
    fault: ({ operation }) => {
      if (operation === 'create') kept.clear();
      return undefined;
    },
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? '';
    const copy = request.method === 'OPTIONS' ? undefined : kept.get(target);
    if (copy?.isOfMiss) kept.delete(target);
    const { status, headers, body } = copy ?? (await askService(target, request));
    const sent = { ...headers, 'x-cache': copy ? 'Hit from cloudfront' : 'Miss from cloudfront' };
    const etag = request.headers['if-none-match'];
    if (etag !== undefined && etag === headers['etag']) {
      const { 'content-length': _, ...rest } = sent as Record<string, string>;
      response.writeHead(304, rest).end();
    } else response.writeHead(status, sent).end(request.method === 'HEAD' ? undefined : body);
  }

  async function askService(target: string, { method }: IncomingMessage): Promise<Copy> {
    // A HEAD becomes a GET, whose answer can be kept.
    const response = await fetch(serviceUrl + target, { method: method === 'OPTIONS' ? method : 'GET' });
    const { 'cache-status': cacheStatus = '', ...headers } = Object.fromEntries(response.headers);
    const isOfMiss = cacheStatus.includes('fwd=miss');
    const copy = {
      isOfMiss,
      status: response.status,
      // The store's own copy has no Cache-Status.
      headers: {
        ...headers,
        'cache-control': `s-maxage=${missSeconds}`,
        ...(isOfMiss && { 'cache-status': cacheStatus }),
      },
      body: Buffer.from(await response.arrayBuffer()),
    };
    if (response.ok && method === 'GET') kept.set(target, copy);
    return copy;
  }

  const { port } = await serve((request, response) => void answer(request, response));
  return {
    url: `http://127.0.0.1:${port}`,
    cloudFront,
    env: {
      CDN: `cloudfront:${DISTRIBUTION}`,
      CLOUDFRONT_ENDPOINT: cloudFront.endpoint,
      ...CREDENTIALS,
    },
  };
}

export interface Answer {
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  /** Where the service itself gives the same answer. */
  url: string;
}

/** @param nth - how many requests with this target there were, this one included */
export type Change = (request: { method: string; url: string }, answer: Answer, nth: number) => Answer;

/** Starts a server that answers as a service does, but for this change. */
export async function startChangedService(serviceUrl: string, change: Change): Promise<string> {
  const counts = new Map<string, number>();
  const { port } = await serve(async (request, response) => {
    const { method = '', url = '' } = request;
    const nth = (counts.get(url) ?? 0) + 1;
    counts.set(url, nth);
    const answered = await fetch(serviceUrl + url, {
      method,
      headers: request.headers as Record<string, string>,
      redirect: 'manual',
    });
    const body = Buffer.from(await answered.arrayBuffer());
    const answer = {
      status: answered.status,
      headers: Object.fromEntries(answered.headers),
      body,
      url: serviceUrl + url,
    };
    const { status, headers, body: changed } = change({ method, url }, answer, nth);
    response.writeHead(status, headers).end(method === 'HEAD' ? undefined : changed);
  });
  return `http://127.0.0.1:${port}`;
}

/** Starts a server that refuses unsigned requests as the service does, and answers every other one like this. */
export async function startImpostor(answer: (response: ServerResponse) => void): Promise<string> {
  const { port } = await serve((request, response) => {
    if (/&sig=/.test(request.url ?? '')) return answer(response);
    const problem = { status: 403, code: 'bad_signature', detail: 'unsigned' };
    response.writeHead(403, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
  });
  return `http://127.0.0.1:${port}`;
}
