import fc from 'fast-check';
import { checkAnswer } from '../check-answer.ts';
import { Finding } from '../finding.ts';
import { type Kind, kind } from '../kind.ts';
import type { Answer } from '../parse-answers.ts';
import { keptConnection } from '../raw-connection.ts';
import { share } from '../share.ts';
import { ADMIN_TOKEN, CLOSED_AUTHORITY } from '../target.ts';

/** A body, sent in several pieces. */
interface BodyInput {
  body: Uint8Array;
  isChunked: boolean;
  pieces: number;
}

/** JSON that is valid but not what is expected. */
const odd = fc.oneof(
  fc.json({ maxDepth: 3 }),
  fc.constantFrom(
    'null',
    '[]',
    '{}',
    '0',
    '1e999',
    '-0',
    '""',
    '"\\ud800"',
    '{"__proto__":{"id":"a"}}',
    `${'['.repeat(20_000)}`,
    `${'['.repeat(3000)}${']'.repeat(3000)}`,
    `{"id":"a","id":"b"}`,
    `"${'x'.repeat(70_000)}"`,
  ),
);
const id = fc.oneof(
  fc.constantFrom('"fuzz-1"', '"fuzz-2"', '"."', '"a/b"', '"\\u0000"', `"${'i'.repeat(129)}"`),
  odd,
);
const image = fc.oneof(
  fc.constantFrom(
    '"http://10.0.0.1/a.jpg"',
    `"http://${CLOSED_AUTHORITY}/a"`,
    '"file:///etc/passwd"',
    '"\\ud800"',
    '""',
    `"http://10.0.0.1/${'a'.repeat(9000)}"`,
  ),
  odd,
);
const list = (entry: fc.Arbitrary<string>) =>
  fc.array(entry, { maxLength: 4 }).map((entries) => `[${entries.join(',')}]`);
const images = fc.oneof(
  list(image),
  fc
    .array(image, { maxLength: 3 })
    .map((all) => `{${all.map((one, index) => `"n${index}":${one}`).join(',')}}`),
  odd,
);
const member = fc.oneof(
  { weight: 3, arbitrary: id.map((value) => `"id":${value}`) },
  { weight: 3, arbitrary: images.map((value) => `"images":${value}`) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.constantFrom('widths', 'tiers', 'formats', 'maxBytes', 'key_urls_map', 'ids', '__proto__'),
        odd,
      )
      .map(([name, value]) => `${JSON.stringify(name)}:${value}`),
  },
);
/** A unit, or what is almost one, as JSON. */
export const unit = fc.array(member, { maxLength: 5 }).map((members) => `{${members.join(',')}}`);
/** A unit whose sources may not be fetched, as JSON. */
export const goodUnit = fc
  .nat(20)
  .map((number) => `{"id":"fuzz-${number}","images":["http://10.0.0.1/${number}"]}`);

const SPECIAL = ['\r', '\n', '\0', '\uFEFF', '\u2028', '"', '\\', '{'].map((text) => Buffer.from(text));

/** Bytes among the text: invalid UTF-8, line ends, what ends a text early. */
const noise = fc.oneof(
  { weight: 3, arbitrary: fc.constant(null) },
  fc.tuple(share, fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 4 }), fc.constantFrom(...SPECIAL))),
);

function bodies(texts: fc.Arbitrary<string>): fc.Arbitrary<BodyInput> {
  return fc
    .record({ text: texts, noise, isChunked: fc.boolean(), pieces: fc.integer({ min: 1, max: 5 }) })
    .map(({ text, noise, ...how }) => {
      const whole = Buffer.from(text);
      const at = Math.floor((noise?.[0] ?? 0) * whole.length);
      return {
        body: noise ? Buffer.concat([whole.subarray(0, at), noise[1], whole.subarray(at)]) : whole,
        ...how,
      };
    });
}

const lines = fc
  .tuple(
    fc.array(fc.oneof(unit, goodUnit, odd, fc.constantFrom('', '  ', '\r')), { maxLength: 12 }),
    fc.constantFrom('\n', '\r\n'),
  )
  .map(([all, lineEnd]) => all.join(lineEnd));

/** Lines for `POST /units`: each is accepted or refused, and counted. */
export const unitsKind: Kind = kind<BodyInput>({
  name: 'units',
  concurrency: 1,
  inputs: bodies(lines),
  async send(input, { server }) {
    const answer = await post(server.port, '/units', input);
    const outcome = await checkAnswer(answer);
    if (answer.status === 202 && isOfLines(input.body)) checkCounts(answer, input.body);
    return outcome;
  },
});

/** Bodies for `POST /units/purge`. */
export const purgeKind: Kind = kind<BodyInput>({
  name: 'purge',
  concurrency: 1,
  inputs: bodies(
    fc.oneof(
      list(id).map((ids) => `{"ids":${ids}}`),
      unit,
      odd,
    ),
  ),
  send: async (input, { server }) => await checkAnswer(await post(server.port, '/units/purge', input)),
});

/** Whether the first line is an object: then each line is one entry. */
function isOfLines(body: Uint8Array): boolean {
  const [first = ''] = Buffer.from(body).toString().trimStart().split('\n', 1);
  try {
    return first.startsWith('{') && typeof JSON.parse(first) === 'object';
  } catch {
    return false;
  }
}

function checkCounts(answer: Answer, body: Uint8Array): void {
  const { accepted, refusedCount } = JSON.parse(answer.body.toString());
  const sent = Buffer.from(body)
    .toString('latin1')
    .split('\n')
    .filter((line) => /[^ \t\r\n\v\f\x80-\xff]/.test(line)).length;
  const counted = accepted + refusedCount;
  if (!(counted >= sent)) throw new Finding(`${sent} lines were sent, ${counted} accepted or refused`);
}

const post = (port: number, path: string, { pieces, ...input }: BodyInput): Promise<Answer> =>
  postBody(port, path, { ...input, pieceBytes: Math.ceil(input.body.length / pieces) || 1 });

/**
 * Sends a body to a unit route.
 *
 * @param input.headers - further headers, as they are sent
 */
export async function postBody(
  port: number,
  path: string,
  input: { body: Uint8Array; isChunked: boolean; pieceBytes: number; headers?: readonly string[] },
): Promise<Answer> {
  const { body, isChunked, pieceBytes, headers = [] } = input;
  const framing = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`;
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${ADMIN_TOKEN}\r\n${[...headers, framing].join('\r\n')}\r\n\r\n`;
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += pieceBytes)
    parts.push(Buffer.from(body.subarray(at, at + pieceBytes)));
  const sent = isChunked ? [...parts.map(toChunk), Buffer.from('0\r\n\r\n')] : parts;
  const connection = keptConnection(port);
  try {
    return await connection.request([Buffer.from(head), ...sent]);
  } finally {
    connection.close();
  }
}

function toChunk(part: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]);
}
