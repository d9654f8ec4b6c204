import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener, RequestError } from '@hono/node-server';
import type { Logger } from 'pino';
import type { App } from './app.ts';
import { OPEN_HEADERS } from './open-headers.ts';
import { answerProblem } from './problem.ts';

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

/** How often connections that have fallen idle are looked for while closing. */
const IDLE_CHECK_MS = 50;

/**
 * Serves an app on a port of this machine.
 *
 * @param port - 0 for any that is free
 * @throws Error when the port is taken or the host is not this machine's
 */
export async function listen(
  app: Pick<App, 'fetch'>,
  { host, port, log }: { host: string; port: number; log?: Logger },
): Promise<Listener> {
  const answer = getRequestListener(app.fetch, { errorHandler: (error) => answerOutsideApp(error, log) });
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, answer);
  server.listen(port, host);
  await once(server, 'listening');
  const address = server.address() as AddressInfo;
  const authority = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return {
    url: `http://${authority}:${address.port}`,
    port: address.port,
    close: (graceMs) => close(server, graceMs),
  };
}

async function close(server: Server, graceMs: number): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  // A connection that was busy when the server closed stays open for the client's next request: it is waited for in vain.
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
  const late = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(idle);
  clearTimeout(late);
}

/** What the adapter cannot make a request of never reaches the app, and what fails after the app is a bug. */
function answerOutsideApp(error: unknown, log: Logger | undefined): Response {
  const unreadable = error instanceof RequestError;
  if (!unreadable) log?.error({ err: error }, 'a bug: the answer could not be sent');
  const { status, headers, body } = unreadable
    ? answerProblem({
        code: 'bad_request',
        detail: 'The request cannot be read: its target or Host is malformed',
      })
    : answerProblem({ code: 'internal', detail: 'Something went wrong here, and was logged' });
  return new Response(body, { status, headers: { ...OPEN_HEADERS, ...headers } });
}
