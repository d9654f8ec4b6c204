import type { LookupAddress } from 'node:dns';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { EdgepressError } from '../../../src/protocol/error.ts';
import { parseAllowPattern } from '../../../src/source/allowlist.ts';
import type { ResolveAll } from '../../../src/source/guarded-agent.ts';
import {
  createHttpSource,
  type HttpSource,
  type HttpSourceOptions,
} from '../../../src/source/http-source.ts';

export interface LoopbackServer {
  port: number;
  /** All connections since its start. */
  connections: Socket[];
}

export type SourceOptions = Partial<Omit<HttpSourceOptions, 'allow'>> & { allow?: string[] };

/** Starts an HTTP server that is closed after the test. */
export function serve(handler: RequestListener): Promise<LoopbackServer> {
  return listen(createServer(handler), '127.0.0.1', 0);
}

/** Starts a TCP server that is closed after the test. `host` must be a loopback address. */
export function serveTcp(
  onConnection: (socket: Socket) => void,
  host = '127.0.0.1',
  port = 0,
): Promise<LoopbackServer> {
  return listen(createTcpServer(onConnection), host, port);
}

/** Starts a server that sends these bytes once it has received data, and closes the connection; one item per connection, then the last. */
export function serveBytes(...responses: (string | Buffer)[]): Promise<LoopbackServer> {
  let connection = 0;
  return serveTcp((socket) => {
    socket.once('data', () => socket.end(responses[Math.min(connection++, responses.length - 1)] ?? ''));
  });
}

/** Binds a server to loopback, and closes it and its connections after the test. */
export async function listen(
  server: ReturnType<typeof createTcpServer>,
  host: string,
  port: number,
): Promise<LoopbackServer> {
  const connections: Socket[] = [];
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => {});
    connections.push(socket);
  });
  server.listen(port, host);
  await once(server, 'listening');
  onTestFinished(async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of connections) socket.destroy();
    await closed;
  });
  return { port: (server.address() as AddressInfo).port, connections };
}

/** Returns a resolver that knows only these names, so that no query leaves the machine. */
export function namesAt(names: Record<string, string[]>): ResolveAll {
  return (hostname, _options, callback) => {
    const addresses: LookupAddress[] = (names[hostname] ?? []).map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }));
    const error = addresses.length === 0 ? Object.assign(new Error(), { code: 'ENOTFOUND' }) : null;
    setImmediate(callback, error, addresses);
  };
}

/** Opens an HTTP source that accepts only 127.0.0.1 as a public address, so it can reach nothing else. It is closed after the test. */
export function openSource(options: SourceOptions = {}): HttpSource {
  const source = createHttpSource({
    maxBytes: 1_000_000,
    timeoutMs: 5_000,
    userAgent: 'edgepress/9.9.9 (+https://images.example)',
    resolve: namesAt({ 'images.test': ['127.0.0.1'], 'other.test': ['127.0.0.1'] }),
    acceptsAddress: (address) => address === '127.0.0.1',
    ...options,
    allow: options.allow?.map(parseAllowPattern) ?? [],
  });
  onTestFinished(() => source.close());
  return source;
}

/** Opens an HTTP source and returns a function that fetches a path from a server on loopback. */
export function fetcherAt(port: number, options: SourceOptions = {}) {
  const source = openSource(options);
  return (path = '/a.jpg') => source.fetch(`http://images.test:${port}${path}`);
}

/** Starts a server with this handler and fetches from it. */
export async function fetchFrom(handler: RequestListener, options: SourceOptions = {}) {
  const { port } = await serve(handler);
  return await fetcherAt(port, options)();
}

/** Returns the error of a promise, which must reject. */
export function failure(promise: Promise<unknown>): Promise<EdgepressError> {
  return promise.then(
    () => Promise.reject(new Error('expected a failure')),
    (error) => error as EdgepressError,
  );
}
