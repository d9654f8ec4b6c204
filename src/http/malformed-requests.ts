import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { EdgepressError } from '../protocol/error.ts';
import type { ProblemResponse } from '../protocol/problem.ts';
import { type Connections, endConnection } from './connections.ts';
import { problemOf } from './responses.ts';

// What is wrong with a request before any route sees it. Each is answered with a problem document, and the connection is closed: what
// follows on it may not be what it seems.

type Status = readonly [status: number, title: string];

const BAD_REQUEST: Status = [400, 'Bad Request'];
const REQUEST_TIMEOUT: Status = [408, 'Request Timeout'];
const EXPECTATION_FAILED: Status = [417, 'Expectation Failed'];
const HEADERS_TOO_LARGE: Status = [431, 'Request Header Fields Too Large'];

/** Answers what Node's parser refuses, as far as it can be answered. */
export function answerMalformed(server: Server, connections: Connections): void {
  const refused = new WeakSet<Duplex>();
  server.on('clientError', (error: ParserError, socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    // The parser reports whatever still arrives.
    if (refused.has(socket)) return;
    refused.add(socket);
    const refuse = () => endConnection(socket, rawProblem(refusalOf(error)));
    const last = connections.lastExchange(socket);
    if (!last) refuse();
    // What is malformed comes after a request, whose answer is not lost.
    else if (last.req.complete) last.once('close', () => socket.writable && refuse());
    // It is the body of a request, which nobody can read to its end.
    else if (last.socket === null || last.headersSent) socket.destroy();
    else refuse();
  });
  server.on('connect', (_incoming, socket) => {
    // Node takes its own listener off such a socket: a reset would end the process.
    socket.on('error', () => socket.destroy());
    endConnection(socket, rawProblem(problem(BAD_REQUEST, 'This is no proxy: CONNECT is not supported')));
  });
}

/**
 * Answers a request that Node accepts and RFC 9112, section 3.2, does not: of HTTP/1.1 without `Host`, or with several.
 *
 * @returns `false` if there is nothing wrong with it
 */
export function refuseHost(incoming: IncomingMessage, outgoing: ServerResponse): boolean {
  const hosts = countHosts(incoming.rawHeaders);
  if (hosts === 1 || (hosts === 0 && incoming.httpVersionMinor === 0)) return false;
  const detail =
    hosts === 0 ? 'The request has no Host header' : 'The request has more than one Host header: send one';
  sendProblem(outgoing, problem(BAD_REQUEST, detail));
  return true;
}

/** Answers a request whose `Expect` is not `100-continue` (RFC 9110, section 10.1.1). */
export function refuseExpectation({ headers }: IncomingMessage, outgoing: ServerResponse): void {
  const detail = `Expect: ${headers.expect} cannot be met; only 100-continue can`;
  sendProblem(outgoing, problem(EXPECTATION_FAILED, detail));
}

/** Asks for the body of a request with `Expect: 100-continue`, if it has one, once earlier requests of its connection are answered. */
export function awaitTurn(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  connections: Connections,
  onTurn: () => void,
): void {
  const earlier = connections.exchangeBefore(outgoing);
  const hasBody = 'transfer-encoding' in incoming.headers || Number(incoming.headers['content-length']) > 0;
  const start = () => {
    if (incoming.socket.destroyed) return;
    if (hasBody) outgoing.writeContinue();
    onTurn();
  };
  // Node would keep the 100 for later, and then send it after the header of the answer.
  if (earlier && outgoing.socket === null) earlier.once('close', start);
  else start();
}

/** The error of Node's parser. */
interface ParserError extends NodeJS.ErrnoException {
  /** The last bytes that were read. */
  rawPacket?: Buffer;
}

/** The beginning of a request with a target of more than 6,000 bytes. */
const LONG_TARGET = /^[A-Z]+ [^\r\n ]{6001}/;

function refusalOf({ code, rawPacket }: ParserError): ProblemResponse {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return problem(REQUEST_TIMEOUT, 'The request did not arrive in time: send it faster');
  if (code !== 'HPE_HEADER_OVERFLOW')
    return problem(BAD_REQUEST, `The request cannot be read as HTTP (${code})`);
  const isTarget = LONG_TARGET.test(rawPacket?.toString('latin1', 0, 6100) ?? '');
  return isTarget
    ? problem(BAD_REQUEST, 'The request target is too long: at most 6000 bytes')
    : problem(HEADERS_TOO_LARGE, 'The headers of the request are too long: 32 KiB, with the target');
}

function problem([status, title]: Status, detail: string): ProblemResponse {
  const { headers, body } = problemOf(new EdgepressError('bad_request', detail));
  const document = JSON.stringify({ ...JSON.parse(body), status, title });
  const length = String(Buffer.byteLength(document));
  return {
    status,
    title,
    headers: { ...headers, 'Content-Length': length, Connection: 'close' },
    body: document,
  };
}

function sendProblem(outgoing: ServerResponse, { status, headers, body }: ProblemResponse): void {
  outgoing.writeHead(status, headers).end(body);
}

/** By hand, because there is no response object for it. */
function rawProblem({ status, title, headers, body }: ProblemResponse): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${title}`, ...lines, '', body].join('\r\n');
}

/** @param rawHeaders - names and values in turn. This runs for each hit: `headersDistinct` would cost ten times as much */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === 4 && name.toLowerCase() === 'host') count++;
  }
  return count;
}
