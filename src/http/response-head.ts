import type { ServerResponse } from 'node:http';

// Node checks and joins the names and values of headers anew for each response: a fifth of what a hit costs. What it has made once of
// headers that do not change is kept here as text.

/** Headers that are the same in each response with one variant. */
export interface LastingHeaders {
  /** Names and values in turn. */
  readonly list: readonly string[];
  /** What Node has made of them, once they were sent. */
  sent?: SentHead | undefined;
}

/** A head without what differs in each response. */
interface SentHead {
  status: number;
  /** The status line and the lasting headers. */
  before: string;
  /** What is said of the connection, and the end of the head. */
  after: string;
}

/** The text of the head, as Node keeps it until it is sent. Not in Node's documentation: {@link writeHead} does without where it is not so. */
type Outgoing = ServerResponse & { _header?: unknown };

/** What Node adds to the headers of a response after which the connection stays open. */
const ADDED_BY_NODE = /^Date: [^\r\n]{29}\r\n(Connection: keep-alive\r\nKeep-Alive: timeout=\d+\r\n\r\n)$/;

/**
 * Does what `outgoing.writeHead` does, for a response without headers so far. The text of lasting headers is kept from the first response
 * that Node has made with them, if the connection stays open after it, and sent again in such responses.
 *
 * @param lasting - with a `Content-Length`, if the response may have a body
 * @param headers - names and values in turn, without characters that headers must not have: they follow the lasting ones
 * @throws TypeError for a lasting header that has such a character
 */
export function writeHead(
  outgoing: Outgoing,
  status: number,
  lasting: LastingHeaders | undefined,
  headers: readonly string[],
): void {
  if (!lasting) return void outgoing.writeHead(status, headers as string[]);
  const own = linesOf(headers);
  const isUsual = outgoing.shouldKeepAlive && outgoing.req.headers.expect === undefined;
  if (isUsual && lasting.sent?.status === status && setHead(outgoing, lasting.sent, own)) return;
  outgoing.writeHead(status, [...lasting.list, ...headers]);
  if (isUsual) lasting.sent = sentHeadOf(outgoing, status, own);
}

/** Returns `false` if Node does not take it. */
function setHead(outgoing: Outgoing, { status, before, after }: SentHead, own: string) {
  outgoing.statusCode = status;
  outgoing._header = `${before}${own}Date: ${httpDate()}\r\n${after}`;
  return outgoing.headersSent;
}

function sentHeadOf({ _header: head }: Outgoing, status: number, own: string): SentHead | undefined {
  if (typeof head !== 'string') return undefined;
  const at = head.indexOf(own);
  const [, after] = ADDED_BY_NODE.exec(head.slice(at + own.length)) ?? [];
  return after === undefined ? undefined : { status, before: head.slice(0, at), after };
}

function linesOf(headers: readonly string[]): string {
  let lines = '';
  for (let at = 0; at < headers.length; at += 2) lines += `${headers[at]}: ${headers[at + 1]}\r\n`;
  return lines;
}

let dateSeconds = 0;
let date = '';

/** Returns the time as the value of `Date` (RFC 9110, section 5.6.7). */
function httpDate(): string {
  const seconds = Math.floor(Date.now() / 1000);
  if (seconds !== dateSeconds) {
    dateSeconds = seconds;
    date = new Date(seconds * 1000).toUTCString();
  }
  return date;
}
