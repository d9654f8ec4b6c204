import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** A request that is not answered to its end. */
export interface Exchange {
  incoming: IncomingMessage;
  outgoing: ServerResponse;
}

/** The open connections of a server. */
export interface Connections {
  /** Returns the last request in flight on a connection: those before it are answered first. */
  lastExchange(socket: Duplex): Exchange | undefined;
  /** Returns the request before a request in flight, if it is not answered either. */
  exchangeBefore(incoming: IncomingMessage): Exchange | undefined;
  /**
   * Accepts no more connections, and resolves when all requests in flight are answered. Connections without a request are closed.
   *
   * @param graceMs - after this time, in milliseconds, all connections are closed
   */
  close(graceMs: number): Promise<void>;
}

/** What clients may keep of a server. */
export interface ConnectionLimits {
  /** The most connections at a time; fewer if the process may not open as many files. */
  maxConnections: number;
  /** How long a connection may stand still while the client has to send or to read, in milliseconds. */
  maxStillMs: number;
  /** The most bytes of answers that wait to be read by clients. */
  maxUnreadBytes: number;
}

const DEFAULT_LIMITS: ConnectionLimits = {
  // Half a gigabyte of memory or less.
  maxConnections: 10_000,
  maxStillMs: 60_000,
  maxUnreadBytes: 2 ** 28,
};
const UNREAD_CHECK_MS = 250;
/** From this part of the most connections on, those that wait for another request are closed. */
const NEARLY_FULL = 0.9;
/** Open files that the store, sources and threads need beside connections. */
const OWN_HANDLES = 256;
/** How often a server that closes looks for idle connections. */
const CLOSE_INTERVAL_MS = 50;
/** How long an open connection has to send a request, once the server closes. */
const FIRST_REQUEST_MS = 2000;
/** How long a client may take to close a connection that this side has closed. */
const MAX_LINGER_MS = 2000;

/** Keeps track of the connections of a server, and closes those that keep more than they may. */
export function watchConnections(server: Server, limits: Partial<ConnectionLimits> = {}): Connections {
  const { maxConnections, maxStillMs, maxUnreadBytes } = { ...DEFAULT_LIMITS, ...limits };
  const exchanges = new Map<Duplex, Exchange[]>();
  server.maxConnections = Math.min(maxConnections, Math.max(1, maxOpenFiles() - OWN_HANDLES));
  server.on('connection', (socket) => {
    exchanges.set(socket, []);
    socket.once('close', () => exchanges.delete(socket));
    if (exchanges.size > server.maxConnections * NEARLY_FULL) server.closeIdleConnections();
  });
  const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const ofSocket = exchanges.get(incoming.socket);
    // A request with `Expect` comes twice.
    if (!ofSocket || ofSocket.at(-1)?.incoming === incoming) return;
    const exchange = { incoming, outgoing };
    ofSocket.push(exchange);
    outgoing.once('close', () => ofSocket.splice(ofSocket.indexOf(exchange), 1));
  };
  for (const event of ['request', 'checkContinue', 'checkExpectation']) server.on(event, onRequest);
  server.setTimeout(maxStillMs, (socket) => {
    // Of several requests on a connection, the first one is being answered.
    const [first] = exchanges.get(socket) ?? [];
    if (first && isOurTurn(first)) socket.setTimeout(maxStillMs);
    else socket.destroy();
  });
  const unreadCheck = setInterval(() => boundUnread(exchanges, maxUnreadBytes), UNREAD_CHECK_MS).unref();
  server.once('close', () => clearInterval(unreadCheck));
  return {
    lastExchange: (socket) => exchanges.get(socket)?.at(-1),
    exchangeBefore(incoming) {
      const ofSocket = exchanges.get(incoming.socket) ?? [];
      return ofSocket[ofSocket.findIndex((exchange) => exchange.incoming === incoming) - 1];
    },
    close: (graceMs) => close(server, exchanges, graceMs),
  };
}

/** Closes the oldest connections whose clients read slowly, if all of them together hold too much in memory. */
function boundUnread(exchanges: ReadonlyMap<Duplex, readonly Exchange[]>, maxBytes: number): void {
  let unread = 0;
  for (const ofSocket of exchanges.values())
    for (const { outgoing } of ofSocket) unread += outgoing.writableLength;
  for (const [socket, ofSocket] of exchanges) {
    if (unread <= maxBytes) return;
    const bytes = ofSocket.reduce((sum, { outgoing }) => sum + outgoing.writableLength, 0);
    if (bytes === 0) continue;
    unread -= bytes;
    socket.destroy();
  }
}

/** Whether this side has to go on: it reads a body no faster than it can store it, and thinks about the answer. */
function isOurTurn({ incoming, outgoing }: Exchange): boolean {
  if (outgoing.writableEnded || outgoing.writableLength > 0) return false;
  return incoming.complete || incoming.readableLength > 0;
}

/** Ends a connection, and closes it a little later if the client does not: it may still be reading what it was sent. */
export function endConnection(socket: Duplex, lastWords?: string): void {
  socket.end(lastWords);
  const timer = setTimeout(() => socket.destroy(), MAX_LINGER_MS).unref();
  socket.once('close', () => clearTimeout(timer));
}

async function close(
  server: Server,
  exchanges: ReadonlyMap<Duplex, readonly Exchange[]>,
  graceMs: number,
): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  const start = performance.now();
  const timer = setInterval(() => {
    const elapsedMs = performance.now() - start;
    if (elapsedMs > graceMs) server.closeAllConnections();
    else if (elapsedMs > FIRST_REQUEST_MS) closeUnused(exchanges);
    // Spares connections that have not sent their first request yet.
    else server.closeIdleConnections();
  }, CLOSE_INTERVAL_MS);
  await closed;
  clearInterval(timer);
}

function closeUnused(exchanges: ReadonlyMap<Duplex, readonly Exchange[]>): void {
  for (const [socket, ofSocket] of exchanges) if (ofSocket.length === 0) socket.destroy();
}

/** Returns the most files that this process may have open at a time. */
function maxOpenFiles(): number {
  try {
    const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    // Only Linux says so.
    return Number.POSITIVE_INFINITY;
  }
}
