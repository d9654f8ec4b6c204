import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** How often connections are looked at while closing. */
const LOOK_MS = 50;

/** How long a connection that is open may take to send its request before it is closed with those that have none. */
const LATE_MS = 2000;

/** What is known of a server's connections. */
export interface Connections {
  /** Whether a request that came on this connection is not answered yet. */
  isBusy(socket: Duplex): boolean;
  /**
   * Takes no more connections, waits for the requests that are under way, and ends. Browsers and load balancers keep
   * connections open, used or not yet used: these are not waited for. After `graceMs` nothing is.
   */
  close(graceMs: number): Promise<void>;
}

/** Follows the connections of a server from now on. */
export function followConnections(server: Server): Connections {
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

  const close = async (graceMs: number) => {
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
  return { isBusy: (socket) => (requests.get(socket) ?? 0) > 0, close };
}

function closeUnused(requests: ReadonlyMap<Duplex, number>): void {
  for (const [socket, underWay] of requests) if (underWay === 0) socket.destroy();
}
