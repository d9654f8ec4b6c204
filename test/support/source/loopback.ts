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
  /** Every connection that was ever made to it. */
  connections: Socket[];
}

export type SourceOptions = Partial<Omit<HttpSourceOptions, 'allow'>> & { allow?: string[] };

/** An HTTP server that ends with the test. */
export function serve(handler: RequestListener): Promise<LoopbackServer> {
  return listen(createServer(handler), '127.0.0.1', 0);
}

/** A TCP server that ends with the test; `host` must be a loopback address. */
export function serveTcp(
  onConnection: (socket: Socket) => void,
  host = '127.0.0.1',
  port = 0,
): Promise<LoopbackServer> {
  return listen(createTcpServer(onConnection), host, port);
}

/** A server that answers every request, once it has its head, with these bytes, and ends the connection. */
export function serveBytes(...answers: (string | Buffer)[]): Promise<LoopbackServer> {
  let turn = 0;
  return serveTcp((socket) => {
    socket.once('data', () => socket.end(answers[Math.min(turn++, answers.length - 1)] ?? ''));
  });
}

/** Binds a server to loopback, and takes it and its connections down when the test is over. */
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

/** A resolver that knows these names and no others, so that no query ever leaves the machine. */
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

/** A source that takes 127.0.0.1 for a public address, and so can reach that and nothing else; it ends with the test. */
export function openSource(options: SourceOptions = {}): HttpSource {
  const source = createHttpSource({
    maxBytes: 1_000_000,
    timeoutMs: 5_000,
    version: '9.9.9',
    resolve: namesAt({ 'images.test': ['127.0.0.1'], 'other.test': ['127.0.0.1'] }),
    acceptsAddress: (address) => address === '127.0.0.1',
    ...options,
    allow: options.allow?.map(parseAllowPattern) ?? [],
  });
  onTestFinished(() => source.close());
  return source;
}

/** A source at the given server, and the way to fetch a path of it. */
export function at(port: number, options: SourceOptions = {}) {
  const source = openSource(options);
  return (path = '/a.jpg') => source.fetch(`http://images.test:${port}${path}`);
}

/** What a fetch from a server with this handler gives. */
export async function fetchFrom(handler: RequestListener, options: SourceOptions = {}) {
  const { port } = await serve(handler);
  return await at(port, options)();
}

/** The error that must come of this. */
export function failure(promise: Promise<unknown>): Promise<EdgepressError> {
  return promise.then(
    () => Promise.reject(new Error('expected a failure')),
    (error) => error as EdgepressError,
  );
}
