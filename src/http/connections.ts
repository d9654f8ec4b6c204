import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** How often connections are looked at while closing. */
const LOOK_MS = 50;

/** How long a connection that is open may take to send its request before it is closed with those that have none. */
const LATE_MS = 2000;

/**
 * Follows the connections of a server, so that it can be closed well.
 *
 * @returns what closes it: takes no more connections, waits for the requests that are under way, and ends. Browsers and
 *   load balancers keep connections open, used or not yet used: these are not waited for. After `graceMs` nothing is.
 */
export function followConnections(server: Server): (graceMs: number) => Promise<void> {
  const requests = new Map<Socket, number>();
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

  return async (graceMs) => {
    const closed = once(server, 'close');
    server.close();
    const start = performance.now();
    const look = setInterval(() => {
      const waitedMs = performance.now() - start;
      if (waitedMs > graceMs) server.closeAllConnections();
      else if (waitedMs > LATE_MS) closeUnused(requests);
      else server.closeIdleConnections();
    }, LOOK_MS);
    await closed;
    clearInterval(look);
  };
}

function closeUnused(requests: ReadonlyMap<Socket, number>): void {
  for (const [socket, underWay] of requests) if (underWay === 0) socket.destroy();
}
