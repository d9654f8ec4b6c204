import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener, RequestError } from '@hono/node-server';
import type { Logger } from 'pino';
import { ConfigError } from '../config.ts';
import { EdgepressError } from '../protocol/error.ts';
import type { App } from './http-request.ts';
import type { ImageHandler } from './image-handler.ts';
import { internalError, problemOf } from './responses.ts';

export interface Listener {
  /** The address, such as `http://127.0.0.1:3000`. */
  url: string;
  port: number;
  /**
   * Accepts no more connections, and resolves when all requests in flight are answered. Browsers and load balancers keep connections
   * open: those without a request are closed.
   *
   * @param graceMs - after this time, in milliseconds, all connections are closed
   */
  close(graceMs: number): Promise<void>;
}

/** More than the 6,000 bytes of the longest valid target, so that a longer one is answered with what is wrong with it. */
const MAX_HEADER_BYTES = 32_768;
/** How long a request may take to arrive: a hundred thousand units are read no faster than they are stored. */
const MAX_REQUEST_MS = 60 * 60 * 1000;
/** How often a listener that closes looks for idle connections. */
const CLOSE_INTERVAL_MS = 50;
/** How long an open connection has to send a request, once the listener closes. */
const FIRST_REQUEST_MS = 2000;

export interface ListenOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  log?: Logger;
  /** Answers requests that the app need not answer. */
  handleImage?: ImageHandler;
}

/**
 * Serves an app on a port of this machine.
 *
 * @throws ConfigError if the port is taken or the host is not an address of this machine
 */
export async function listen(app: Pick<App, 'fetch'>, options: ListenOptions): Promise<Listener> {
  const { host, port, log, handleImage } = options;
  const onOther = getRequestListener(app.fetch, {
    // For requests without `Host`: HTTP/1.0 does not require it, and health checks still use it.
    hostname: 'localhost',
    errorHandler: (error) => answerOutsideApp(error, log),
  });
  const limits = { maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: MAX_REQUEST_MS };
  const server = createServer(limits, (incoming, outgoing) => {
    if (!handleImage?.(incoming, outgoing)) void onOther(incoming, outgoing);
  });
  const requests = countRequests(server);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // While an earlier request on the same connection is unanswered, its client would take this response for the answer to that one.
    const isBusy = (requests.get(socket) ?? 0) > 0;
    if (error.code === 'ECONNRESET' || !socket.writable || isBusy) socket.destroy();
    else refuseMalformed(error, socket);
  });
  server.listen(port, host);
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    const variable = error.code === 'EADDRINUSE' || error.code === 'EACCES' ? 'PORT' : 'HOST';
    throw new ConfigError([`${variable}: cannot listen at ${host}, port ${port} (${error.code})`]);
  });
  const address = server.address() as AddressInfo;
  const authority = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `http://${authority}:${address.port}`,
    port: address.port,
    close: (graceMs) => close(server, requests, graceMs),
  };
}

/** Open connections, each with the number of its requests in flight. */
type RequestsInFlight = ReadonlyMap<Duplex, number>;

function countRequests(server: Server): RequestsInFlight {
  const requests = new Map<Duplex, number>();
  server.on('connection', (socket) => {
    requests.set(socket, 0);
    socket.once('close', () => requests.delete(socket));
  });
  server.on('request', ({ socket }, response) => {
    requests.set(socket, (requests.get(socket) ?? 0) + 1);
    response.once('close', () => {
      const left = (requests.get(socket) ?? 0) - 1;
      if (requests.has(socket)) requests.set(socket, left);
    });
  });
  return requests;
}

async function close(server: Server, requests: RequestsInFlight, graceMs: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const start = performance.now();
  const timer = setInterval(() => {
    const elapsedMs = performance.now() - start;
    if (elapsedMs > graceMs) server.closeAllConnections();
    else if (elapsedMs > FIRST_REQUEST_MS) closeUnused(requests);
    // Spares connections that have not sent their first request yet.
    else server.closeIdleConnections();
  }, CLOSE_INTERVAL_MS);
  await closed;
  clearInterval(timer);
}

function closeUnused(requests: RequestsInFlight): void {
  for (const [socket, inFlight] of requests) if (inFlight === 0) socket.destroy();
}

/** Answers what Node cannot parse as HTTP. By hand, because there is no response object for it. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  const detail = `The request cannot be read as HTTP (${error.code})`;
  const { headers, body } = problemOf(new EdgepressError('bad_request', detail));
  const all = { ...headers, 'Content-Length': Buffer.byteLength(body), Connection: 'close' };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  socket.end(['HTTP/1.1 400 Bad Request', ...lines, '', body].join('\r\n'));
}

/** Answers a request that the adapter cannot turn into a `Request`, so that it never reaches the app. Any other error is a bug. */
function answerOutsideApp(error: unknown, log: Logger | undefined): Response {
  const isMalformed = error instanceof RequestError;
  if (!isMalformed) log?.error({ err: error }, 'a bug: the response could not be sent');
  const { status, headers, body } = problemOf(
    isMalformed
      ? new EdgepressError('bad_request', 'The request cannot be read: its target or Host is malformed')
      : internalError(),
  );
  return new Response(body, { status, headers });
}
