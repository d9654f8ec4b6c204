import fc from 'fast-check';
import { checkAnswer } from '../check-answer.ts';
import { Finding } from '../finding.ts';
import { type Kind, kind } from '../kind.ts';
import { parseAnswers } from '../parse-answers.ts';
import { type Ending, sendRaw } from '../raw-connection.ts';
import { share } from '../share.ts';
import { ADMIN_TOKEN, CLOSED_AUTHORITY } from '../target.ts';

interface HttpInput {
  /** Sent one after the other on one connection. */
  chunks: Uint8Array[];
  ending: Ending;
}

const method = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('GET', 'GET', 'HEAD', 'POST', 'DELETE', 'OPTIONS', 'PUT') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('get', 'CONNECT', 'TRACE', 'PRI', 'M-SEARCH', '', 'G\0T', 'A'.repeat(300)),
  },
);
const target = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      '/healthz',
      '/',
      '/u/u1',
      `/u/u1?src=http%3A%2F%2F${CLOSED_AUTHORITY}%2Fa`,
      '/metrics',
      '/units',
      '/units/fuzz-1',
      '/units/purge',
      '/readyz',
      '/favicon.ico',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '*',
      'http://other/healthz',
      '//',
      '/%',
      '/u/%00',
      '/\u00e9',
      '/healthz#a',
      'healthz',
      '',
      '/a b',
      `/${'a'.repeat(40_000)}`,
      `/u/u1?${'&'.repeat(5000)}`,
    ),
  },
);
const version = fc.oneof(
  { weight: 8, arbitrary: fc.constant('HTTP/1.1') },
  {
    weight: 1,
    arbitrary: fc.constantFrom('HTTP/1.0', 'HTTP/2.0', 'HTTP/0.9', 'http/1.1', 'HTTP/1.1 ', '', 'RTSP/1.0'),
  },
);
const lineEnd = fc.oneof(
  { weight: 12, arbitrary: fc.constant('\r\n') },
  { weight: 1, arbitrary: fc.constantFrom('\n', '\r', '\r\n ', '\r\r\n') },
);

const header = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      'Host: localhost',
      'Host: localhost',
      'Connection: keep-alive',
      'Connection: close',
      `Authorization: Bearer ${ADMIN_TOKEN}`,
      'Content-Type: application/json',
      'Accept-Encoding: gzip, br',
      'Origin: https://example.com',
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...['Host:', 'Host: a b', 'Host: [::1', 'Host: user@host', 'Host: x:99999', 'Host: \u00e9'],
      ...[
        'Content-Length: 5',
        'Content-Length: 0',
        'Content-Length: -1',
        'Content-Length: 5, 5',
        'Content-Length: 99999999999999999999',
        'Content-Length : 5',
        'Content-Length: 0x5',
      ],
      ...[
        'Transfer-Encoding: chunked',
        'Transfer-Encoding: gzip, chunked',
        'Transfer-Encoding: chunked, identity',
        'Transfer-Encoding:\tchunked',
        'Transfer-Encoding : chunked',
        'TE: trailers',
        'Trailer: X',
      ],
      ...[
        'Expect: 100-continue',
        'Expect: 200-maybe',
        'Upgrade: h2c',
        'Upgrade: websocket',
        'HTTP2-Settings: AAAA',
        'Connection: Upgrade, HTTP2-Settings',
      ],
      ...[
        'Authorization: Basic AAAA',
        'Authorization: Bearer',
        'Authorization:',
        'Range: bytes=0-',
        'If-None-Match: "',
        'Cookie: a=b',
        'X-Forwarded-For: ::1',
        'traceparent: 00-0-0-0',
      ],
      ...[
        ': no name',
        'No colon',
        ' folded: line',
        'X\0: y',
        'X: \0',
        'X: \x7f',
        '__proto__: a',
        'constructor: b',
        `X-Long: ${'x'.repeat(20_000)}`,
        `X-Long: ${'x'.repeat(40_000)}`,
      ],
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.string({ maxLength: 10 }), fc.string({ unit: 'binary', maxLength: 20 }))
      .map((pair) => pair.join(': ')),
  },
);

const body = fc.oneof(
  { weight: 4, arbitrary: fc.constant('') },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      'hello',
      '{"ids":["fuzz-1"]}',
      '5\r\nhello\r\n0\r\n\r\n',
      '5;ext="a\r\nhello\r\n0\r\nTrailer: x\r\n\r\n',
      'fffffffffffffffff\r\nx',
      '-1\r\n\r\n',
      '0\r\n\r\n',
      '5\r\nhelloworld\r\n',
      '\r\n\r\n',
      '{"id":"fuzz-2","images":["http://10.0.0.1/"]}\n',
    ),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 50 }) },
);

const request = fc
  .record({
    method,
    target,
    version,
    headers: fc.oneof(fc.constant([]), fc.array(header, { maxLength: 4 })),
    many: fc.nat(60),
    lineEnd,
    body,
    framing: fc.constantFrom('none', 'right', 'right', 'right'),
  })
  .map(({ method, target, version, headers, many, lineEnd, body, framing }) => {
    const length = body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
    const right = framing === 'right' ? ['Host: localhost', ...length] : [];
    // Now and then more headers than Node keeps.
    const more = many === 0 ? Array.from({ length: 2500 }, (_, index) => `x${index}: y`) : [];
    return [`${method} ${target} ${version}`, ...right, ...headers, ...more, '', body].join(lineEnd);
  });

/** Now and then a value: most inputs are to be read as requests. */
const now = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 7, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: value });

const inputs: fc.Arbitrary<HttpInput> = fc
  .record({
    requests: fc.array(request, { minLength: 1, maxLength: 4 }),
    cut: now(share),
    noise: now(fc.tuple(share, fc.uint8Array({ minLength: 1, maxLength: 6 }))),
    splits: fc.array(share, { maxLength: 4 }),
    ending: fc.constantFrom<Ending>('wait', 'wait', 'wait', 'wait', 'end', 'destroy'),
  })
  .map(({ requests, cut, noise, splits, ending }) => {
    let bytes = Buffer.from(requests.join(''));
    if (noise) {
      const at = Math.floor(noise[0] * bytes.length);
      bytes = Buffer.concat([bytes.subarray(0, at), noise[1], bytes.subarray(at)]);
    }
    if (cut !== null) bytes = bytes.subarray(0, Math.floor(cut * bytes.length));
    const places = splits.map((share) => Math.floor(share * bytes.length)).sort((a, b) => a - b);
    const chunks = [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
    return { chunks, ending };
  });

/** Bytes that are almost HTTP, several requests on a connection: what comes back is whole answers only. */
export const httpKind: Kind = kind<HttpInput>({
  name: 'http',
  concurrency: 24,
  inputs,
  async send({ chunks, ending }, { server }) {
    const received = await sendRaw(server.port, chunks, ending);
    const { answers, problem, isIncomplete } = parseAnswers(received, true);
    // A client that waits no longer may have got a part of an answer.
    if (problem !== undefined && !isIncomplete) throw new Finding(problem);
    const outcomes: string[] = [];
    for (const answer of answers) outcomes.push(await checkAnswer(answer, true));
    return outcomes.at(-1) ?? 'no answer';
  },
});
