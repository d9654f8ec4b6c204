import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener, RequestError } from '@hono/node-server';
import type { Logger } from 'pino';
import { ConfigError } from '../config.ts';
import { EdgepressError } from '../protocol/error.ts';
import { type ConnectionLimits, watchConnections } from './connections.ts';
import type { App } from './http-request.ts';
import type { ImageHandler } from './image-handler.ts';
import { answerMalformed, awaitTurn, refuseExpectation, refuseHost } from './malformed-requests.ts';
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
/** How long its headers may take. */
const MAX_HEADERS_MS = 30_000;
/** Longer than load balancers keep theirs, which else send a request while the connection is being closed. */
const KEEP_ALIVE_MS = 65_000;
/** How often Node looks for requests that take too long. */
const CHECK_INTERVAL_MS = 5000;

export interface ListenOptions {
  host: string;
  /** 0: any free port. */
  port: number;
  log?: Logger;
  /** Default: 10,000 connections that may stand still for a minute. */
  limits?: Partial<ConnectionLimits>;
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
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: MAX_HEADERS_MS,
    requestTimeout: MAX_REQUEST_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    // Answered here, with a problem document.
    requireHostHeader: false,
  });
  const connections = watchConnections(server, options.limits);
  server.on('request', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    if (refuseHost(incoming, outgoing) || handleImage?.(incoming, outgoing)) return;
    void onOther(incoming, outgoing);
  });
  server.on('checkContinue', (incoming, outgoing) =>
    awaitTurn(incoming, outgoing, connections, () => server.emit('request', incoming, outgoing)),
  );
  server.on('checkExpectation', refuseExpectation);
  answerMalformed(server, connections);
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
    close: connections.close,
  };
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
