/** One HTTP/1.1 response. */
export interface Answer {
  status: number;
  /** By name in lower case; values of fields that are sent more than once are joined. */
  headers: ReadonlyMap<string, string>;
  body: Buffer;
}

export interface ParsedAnswers {
  answers: Answer[];
  /** Why the bytes are not whole responses. */
  problem?: string;
  /** Whether more bytes may make them whole. */
  isIncomplete?: boolean;
}

const STATUS_LINE = /^HTTP\/1\.1 ([1-5]\d\d)(?: [\x20-\x7e]*)?$/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\x20-\x7e\x80-\xff\t]*)$/;

/**
 * Parses what a server sent on a connection (RFC 9112). Strict, since a byte too much in one answer is taken for the beginning of the next.
 * Not Node's parser: it is not accessible, and as lenient as that of the server.
 *
 * @param isHead - whether answers may lack the body that they announce; then one is read without, unless its body seems to follow
 */
export function parseAnswers(received: Buffer, isHead = false): ParsedAnswers {
  const answers: Answer[] = [];
  let at = 0;
  while (at < received.length) {
    const parsed = parseAnswer(received, at, isHead);
    if ('problem' in parsed) return { answers, ...parsed };
    at = parsed.end;
    // An interim response comes before the one that counts.
    if (parsed.answer.status >= 200) answers.push(parsed.answer);
  }
  return { answers };
}

type Failure = { problem: string; isIncomplete: boolean };
type Parsed = { answer: Answer; end: number } | Failure;

function parseAnswer(received: Buffer, from: number, isHead: boolean): Parsed {
  const headersEnd = received.indexOf('\r\n\r\n', from, 'latin1');
  if (headersEnd < 0) return incomplete('the headers of an answer are cut off');
  const [first = '', ...lines] = received.toString('latin1', from, headersEnd).split('\r\n');
  const status = Number(STATUS_LINE.exec(first)?.[1]);
  if (!(status >= 100)) return wrong(`not the beginning of an answer: ${JSON.stringify(first.slice(0, 80))}`);
  const headers = parseHeaders(lines);
  if (!(headers instanceof Map)) return headers;
  const bodyAt = headersEnd + 4;
  const answer = { status, headers, body: Buffer.alloc(0) };
  const hasNoBody = status < 200 || status === 204 || status === 304;
  const isAlone = bodyAt === received.length || received.toString('latin1', bodyAt, bodyAt + 5) === 'HTTP/';
  if (hasNoBody || (isHead && isAlone)) return { answer, end: bodyAt };
  if (headers.get('transfer-encoding') === 'chunked') return readChunked(received, bodyAt, answer);
  const length = headers.get('content-length');
  if (length === undefined || !/^\d+$/.test(length)) return wrong(`an answer without a length: ${first}`);
  const end = bodyAt + Number(length);
  if (end > received.length) return incomplete(`${received.length - bodyAt} of ${length} bytes of a body`);
  return { answer: { ...answer, body: received.subarray(bodyAt, end) }, end };
}

function parseHeaders(lines: readonly string[]): Map<string, string> | Failure {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = '', value = ''] = FIELD.exec(line) ?? [];
    if (name === '') return wrong(`not a header: ${JSON.stringify(line.slice(0, 80))}`);
    const key = name.toLowerCase();
    const before = headers.get(key);
    headers.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  return headers;
}

function readChunked(received: Buffer, from: number, answer: Answer): Parsed {
  const parts: Buffer[] = [];
  for (let at = from; ; ) {
    const lineEnd = received.indexOf('\r\n', at, 'latin1');
    if (lineEnd < 0) return incomplete('a chunked body is cut off');
    const size = /^[0-9a-f]+$/i.exec(received.toString('latin1', at, lineEnd))?.[0];
    if (size === undefined) return wrong('the size of a chunk is no number');
    const start = lineEnd + 2;
    const end = start + Number.parseInt(size, 16);
    if (end + 2 > received.length) return incomplete('a chunk is cut off');
    if (received.toString('latin1', end, end + 2) !== '\r\n') return wrong('a chunk is longer than it says');
    at = end + 2;
    if (end === start) return { answer: { ...answer, body: Buffer.concat(parts) }, end: at };
    parts.push(received.subarray(start, end));
  }
}

function incomplete(problem: string): Failure {
  return { problem, isIncomplete: true };
}

function wrong(problem: string): Failure {
  return { problem, isIncomplete: false };
}
