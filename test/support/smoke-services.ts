import type { IncomingMessage, ServerResponse } from 'node:http';
import { DISTRIBUTION, startCloudFront } from './cloudfront.ts';
import { CREDENTIALS, type Ended } from './command.ts';
import { startOrigin } from './http/service.ts';
import { photograph } from './pictures.ts';
import { SIGNING_KEYS, startServer } from './server-process.ts';
import { runProgram } from './setup/program.ts';
import { serve } from './source/loopback.ts';

/** The steps in their order. */
export const STEPS = [
  'unsigned URL',
  'first request',
  'second request',
  "the store's copy",
  'edge hit',
  'HEAD',
  'If-None-Match',
  'purge',
  'after the purge',
  'last purge',
];

export interface SmokeStep {
  step: string;
  state: string;
  seen: string;
}

/** The command at this address. */
export async function smoke(
  url: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ended & { steps: SmokeStep[] }> {
  const program = runProgram('scripts/edgepress.ts', ['smoke', url, '--json', ...args], {
    SIGNING_KEYS,
    ...env,
  });
  const status = await program.ended;
  const { stdout, stderr } = program.output;
  const steps = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  return { status, stdout, stderr, steps };
}

/** The service on one machine, a client's server with a photograph, and the command on both. */
export async function setUpService(env: Record<string, string> = {}) {
  const photo = await photograph();
  const origin = await startOrigin((_request, response) => response.end(photo));
  const server = await startServer({ SIGNING_KEYS, SOURCE_ALLOW_PRIVATE: origin.authority, ...env });
  const src = `${origin.url}/a.jpg`;
  const store = { STORE: `file:${server.folder}` };
  return {
    ...{ origin, src, store, url: server.url, folder: server.folder },
    run: (more: Record<string, string> = {}, url = server.url) =>
      smoke(url, ['--src', src], { ...store, ...more }),
  };
}

interface Copy {
  isOfMiss: boolean;
  status: number;
  headers: Record<string, string>;
  body: Buffer;
}

/**
 * A CDN in front of a service that keeps whatever is not an error, gives the copy of a miss once and then asks again, and forgets
 * all when CloudFront's API tells it to.
 *
 * @param missSeconds - for how long it says that it keeps the copy of a miss
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
    const copy = kept.get(target);
    if (copy?.isOfMiss) kept.delete(target);
    const { status, headers, body } = copy ?? (await askService(target, request));
    const said = { ...headers, 'x-cache': copy ? 'Hit from cloudfront' : 'Miss from cloudfront' };
    const known = request.headers['if-none-match'];
    const isKnown = known !== undefined && known === headers['etag'];
    if (isKnown) {
      const { 'content-length': _, ...rest } = said as Record<string, string>;
      response.writeHead(304, rest).end();
    } else response.writeHead(status, said).end(request.method === 'HEAD' ? undefined : body);
  }

  async function askService(target: string, { method }: IncomingMessage): Promise<Copy> {
    const response = await fetch(serviceUrl + target);
    const { 'cache-status': cacheStatus = '', ...headers } = Object.fromEntries(response.headers);
    const isOfMiss = cacheStatus.includes('fwd=miss');
    const copy = {
      isOfMiss,
      status: response.status,
      // The store says nothing of caches.
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

/** Something that refuses what is unsigned, and answers all else in this way. */
export async function startImpostor(answer: (response: ServerResponse) => void): Promise<string> {
  const { port } = await serve((request, response) => {
    if (/&sig=/.test(request.url ?? '')) return answer(response);
    const problem = { status: 403, code: 'bad_signature', detail: 'unsigned' };
    response.writeHead(403, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
  });
  return `http://127.0.0.1:${port}`;
}
