import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

/** A response that is not sent to its end, with its request. */
export type Exchange = ServerResponse<IncomingMessage>;

/** The open connections of a server. */
export interface Connections {
  /** Returns the last request in flight on a connection: those before it are answered first. */
  lastExchange(socket: Duplex): Exchange | undefined;
  /** Returns the request before a request in flight, if it is not answered either. */
  exchangeBefore(outgoing: Exchange): Exchange | undefined;
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
/** Open files that the store, sources and threads need beside connections: so many, or this part if the process may have few. */
const OWN_HANDLES = 384;
const OWN_PART = 3 / 4;
/** How often a server that closes looks for idle connections. */
const CLOSE_INTERVAL_MS = 50;
/** How long an open connection has to send a request, once the server closes. */
const FIRST_REQUEST_MS = 2000;
/** How long a client may take to close a connection that this side has closed. */
const MAX_LINGER_MS = 2000;

/** Keeps track of the connections of a server, and closes those that keep more than they may. */
export function watchConnections(server: Server, limits: Partial<ConnectionLimits> = {}): Connections {
  const { maxConnections, maxStillMs, maxUnreadBytes } = { ...DEFAULT_LIMITS, ...limits };
  const exchanges: Exchanges = new Map();
  server.maxConnections = Math.min(maxConnections, connectionsWithin(maxOpenFiles()));
  server.on('connection', (socket) => {
    exchanges.set(socket, []);
    socket.once('close', () => exchanges.delete(socket));
    if (exchanges.size > server.maxConnections * NEARLY_FULL) server.closeIdleConnections();
  });
  const onRequest = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const ofSocket = exchanges.get(incoming.socket);
    if (!ofSocket) return;
    forgetSent(ofSocket);
    // A request with `Expect` comes twice.
    if (ofSocket.at(-1) !== outgoing) ofSocket.push(outgoing);
  };
  for (const event of ['request', 'checkContinue', 'checkExpectation']) server.on(event, onRequest);
  server.setTimeout(maxStillMs, (socket) => {
    // Of several requests on a connection, the first one is being answered.
    const [first] = unsentOf(exchanges, socket);
    if (first && isOurTurn(first)) socket.setTimeout(maxStillMs);
    else socket.destroy();
  });
  const unreadCheck = setInterval(() => boundUnread(exchanges, maxUnreadBytes), UNREAD_CHECK_MS).unref();
  server.once('close', () => clearInterval(unreadCheck));
  return {
    lastExchange: (socket) => unsentOf(exchanges, socket).at(-1),
    exchangeBefore(outgoing) {
      const ofSocket = unsentOf(exchanges, outgoing.req.socket);
      return ofSocket[ofSocket.indexOf(outgoing) - 1];
    },
    close: (graceMs) => close(server, exchanges, graceMs),
  };
}

/** The responses of each connection, in the order of their requests. What was sent is forgotten later: a listener for each costs a tenth of a hit. */
type Exchanges = Map<Duplex, Exchange[]>;

/** Returns the responses of a connection that are not sent to their end. */
function unsentOf(exchanges: Exchanges, socket: Duplex): readonly Exchange[] {
  const ofSocket = exchanges.get(socket) ?? [];
  forgetSent(ofSocket);
  return ofSocket;
}

/** Responses are sent in order. Node sets `destroyed` of each when it emits `close`. */
function forgetSent(ofSocket: Exchange[]): void {
  while (ofSocket[0]?.destroyed) ofSocket.shift();
}

/** Closes the oldest connections whose clients read slowly, if all of them together hold too much in memory. */
function boundUnread(exchanges: Exchanges, maxBytes: number): void {
  let unread = 0;
  for (const ofSocket of exchanges.values()) {
    // They would occupy memory for as long as the connection waits for another request.
    forgetSent(ofSocket);
    unread += unreadOf(ofSocket);
  }
  for (const [socket, ofSocket] of exchanges) {
    if (unread <= maxBytes) return;
    const bytes = unreadOf(ofSocket);
    if (bytes === 0) continue;
    unread -= bytes;
    socket.destroy();
  }
}

function unreadOf(ofSocket: readonly Exchange[]): number {
  return ofSocket.reduce((sum, { writableLength }) => sum + writableLength, 0);
}

/** Whether this side has to go on: it reads a body no faster than it can store it, and thinks about the answer. */
function isOurTurn({ req: incoming, writableEnded, writableLength }: Exchange): boolean {
  if (writableEnded || writableLength > 0) return false;
  return incoming.complete || incoming.readableLength > 0;
}

/** Ends a connection, and closes it a little later if the client does not: it may still be reading what it was sent. */
export function endConnection(socket: Duplex, lastWords?: string): void {
  socket.end(lastWords);
  const timer = setTimeout(() => socket.destroy(), MAX_LINGER_MS).unref();
  socket.once('close', () => clearTimeout(timer));
}

async function close(server: Server, exchanges: Exchanges, graceMs: number): Promise<void> {
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

function closeUnused(exchanges: Exchanges): void {
  for (const socket of exchanges.keys()) if (unsentOf(exchanges, socket).length === 0) socket.destroy();
}

function connectionsWithin(files: number): number {
  return Math.max(1, Math.floor(files - Math.min(OWN_HANDLES, files * OWN_PART)));
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
