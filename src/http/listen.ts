import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener, RequestError } from '@hono/node-server';
import type { Logger } from 'pino';
import { ConfigError } from '../config.ts';
import { COMMON_HEADERS, problemResponse } from '../protocol/problem.ts';
import type { App } from './app-environment.ts';
import { followConnections } from './connections.ts';

export interface Listener {
  /** Where it listens, such as `http://127.0.0.1:3000`. */
  url: string;
  port: number;
  /**
   * Takes no more connections, and ends when what is under way is answered.
   *
   * @param graceMs - how long that may take; what is not answered by then is cut off
   */
  close(graceMs: number): Promise<void>;
}

/** Room for a request target of 6,000 bytes and then some, so that a longer one is told so rather than cut off. */
const MAX_HEADER_BYTES = 32_768;
/** How long a request may take to arrive: a hundred thousand units are read no faster than they are stored. */
const MAX_REQUEST_MS = 60 * 60 * 1000;

/**
 * Serves an app on a port of this machine.
 *
 * @param port - 0 for any that is free
 * @throws ConfigError when the port is taken or the host is not this machine's
 */
export async function listen(
  app: Pick<App, 'fetch'>,
  { host, port, log }: { host: string; port: number; log?: Logger },
): Promise<Listener> {
  const answer = getRequestListener(app.fetch, {
    // For HTTP/1.0, whose requests need not say whom they are for: health checks still speak it.
    hostname: 'localhost',
    errorHandler: (error) => answerOutsideApp(error, log),
  });
  const limits = { maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: MAX_REQUEST_MS };
  const server = createServer(limits, answer);
  const connections = followConnections(server);
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // Behind a request that is not answered yet, an answer to this one would be taken for that one's.
    if (error.code === 'ECONNRESET' || !socket.writable || connections.isBusy(socket)) socket.destroy();
    else refuseMalformed(error, socket);
  });
  server.listen(port, host);
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    const variable = error.code === 'EADDRINUSE' || error.code === 'EACCES' ? 'PORT' : 'HOST';
    throw new ConfigError([`${variable}: cannot listen at ${host}, port ${port} (${error.code})`]);
  });
  const address = server.address() as AddressInfo;
  const authority = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { url: `http://${authority}:${address.port}`, port: address.port, close: connections.close };
}

/** What Node cannot read as HTTP gets the same answer as what we cannot, by hand, since there is no request to answer. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Duplex): void {
  const detail = `The request cannot be read as HTTP (${error.code})`;
  const { headers, body } = problemResponse({ code: 'bad_request', detail });
  const all = {
    ...COMMON_HEADERS,
    ...headers,
    'Content-Length': Buffer.byteLength(body),
    Connection: 'close',
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  socket.end(['HTTP/1.1 400 Bad Request', ...lines, '', body].join('\r\n'));
}

/** What the adapter cannot make a request of never reaches the app, and what fails after the app is a bug. */
function answerOutsideApp(error: unknown, log: Logger | undefined): Response {
  const unreadable = error instanceof RequestError;
  if (!unreadable) log?.error({ err: error }, 'a bug: the answer could not be sent');
  const { status, headers, body } = unreadable
    ? problemResponse({
        code: 'bad_request',
        detail: 'The request cannot be read: its target or Host is malformed',
      })
    : problemResponse({ code: 'internal', detail: 'Something went wrong here, and was logged' });
  return new Response(body, { status, headers: { ...COMMON_HEADERS, ...headers } });
}
