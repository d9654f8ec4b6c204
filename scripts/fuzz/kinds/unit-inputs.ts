import { setImmediate as nextTurn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { readConfig } from '../../../src/config.ts';
import { InputFault } from '../../../src/unit/input/input-fault.ts';
import { createInputNotes } from '../../../src/unit/input/input-notes.ts';
import { parseUnit } from '../../../src/unit/parse-unit.ts';
import { readUnits } from '../../../src/unit/read-units.ts';
import { checkAnswer } from '../check-answer.ts';
import { Finding } from '../finding.ts';
import { type Kind, kind } from '../kind.ts';
import { edits, mutate } from '../mutations.ts';
import { goodUnit, postBody, unit } from './json.ts';

interface UnitInput {
  body: Uint8Array;
  /** How many bytes a chunk has. */
  pieceBytes: number;
  /** Headers of the request, as they are sent. */
  headers: readonly string[];
}

/** At a stretch, a reader may keep others waiting for this long, in milliseconds. */
const MAX_STRETCH_MS = 20;
/** Other work of this machine can make one run slow, and not each. */
const RUNS = 20;

const cell = fc.oneof(
  { weight: 4, arbitrary: fc.nat(20).map((number) => `http://10.0.0.1/${number}`) },
  fc.constantFrom(
    '',
    'n/a',
    '"',
    '""',
    '"a,b"',
    '"two\nlines"',
    'http://10.0.0.1/1 http://10.0.0.1/2',
    '480 720',
    '5',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
);
const header = fc.constantFrom(
  'id',
  'ID',
  'url',
  'image',
  'front',
  'widths',
  'wdiths',
  'formats',
  'maxBytes',
  'group',
  '',
  '__proto__',
);
const table = fc
  .record({
    names: fc.array(header, { maxLength: 6 }),
    rows: fc.array(fc.array(cell, { maxLength: 8 }), { maxLength: 30 }),
    delimiter: fc.constantFrom(',', ';', '\t', '|'),
    lineEnd: fc.constantFrom('\n', '\r\n', '\n\n'),
    before: fc.constantFrom('', '', 'sep=;\n'),
  })
  .map(({ names, rows, delimiter, lineEnd, before }) => {
    const all = [['id', ...names], ...rows.map((cells, index) => [`fuzz-${index % 7}`, ...cells])];
    return before + all.map((cells) => cells.join(delimiter)).join(lineEnd);
  });
const units = fc.array(fc.oneof(unit, goodUnit), { maxLength: 20 });
const text = fc.oneof(
  table,
  units.map((all) => all.join('\n')),
  units.map((all) => `[${all.join(',')}]`),
  units.map((all) => `[\n${all.join(',\n').replaceAll(':', ':\n ')}\n]`),
  // Long ones: a reader must give others their turn.
  fc
    .tuple(
      fc.constantFrom('[', '{}', '{', '"', ',', '{"a":', '[{},', 'a,b\n', '{}\n', '\n', ';', '"\n', 'a "'),
      fc.nat(400_000),
    )
    .map(
      ([piece, bytes]) =>
        `id,url\n`.slice(0, bytes % 2 === 0 ? 7 : 0) + piece.repeat(Math.ceil(bytes / piece.length)),
    ),
);
const encoded = fc
  .tuple(text, fc.constantFrom<BufferEncoding | 'be'>('utf8', 'utf8', 'utf8', 'utf16le', 'be'), fc.boolean())
  .map(([content, encoding, hasMark]) => {
    const marked = hasMark ? `\uFEFF${content}` : content;
    return encoding === 'be' ? Buffer.from(marked, 'utf16le').swap16() : Buffer.from(marked, encoding);
  });
const sometimesMutated = (bytes: fc.Arbitrary<Buffer>) =>
  fc.oneof(
    { weight: 2, arbitrary: bytes },
    fc
      .tuple(bytes, edits, bytes)
      .map(([whole, changes, other]) => Buffer.from(mutate(whole, changes, other))),
  );
const compressed = fc
  .tuple(sometimesMutated(encoded), fc.constantFrom(0, 0, 1, 2, 3))
  .map(([bytes, layers]) => Array.from({ length: layers }).reduce<Buffer>((inner) => gzipSync(inner), bytes));

const inputs: fc.Arbitrary<UnitInput> = fc.record({
  body: sometimesMutated(compressed) as fc.Arbitrary<Uint8Array>,
  pieceBytes: fc.constantFrom(1000, 16_384, 65_536),
  headers: fc.subarray(
    [
      'Content-Type: text/csv',
      'Content-Type: application/json',
      'Content-Encoding: gzip',
      'Content-Encoding: zstd, x',
    ],
    { maxLength: 1 },
  ),
});

/** Units in every form, damaged or not, read in this process and sent to `POST /units`: nothing fails, and nobody waits for it. */
export const unitInputsKind: Kind = kind<UnitInput>({
  name: 'inputs',
  concurrency: 1,
  inputs,
  async send(input, { server }) {
    let longestMs = Number.POSITIVE_INFINITY;
    for (let run = 0; run < RUNS && longestMs > MAX_STRETCH_MS; run++)
      longestMs = Math.min(longestMs, await readAlone(input));
    if (longestMs > MAX_STRETCH_MS)
      throw new Finding(`a reader took ${Math.round(longestMs)} ms at a stretch`);
    const answer = await postBody(server.port, '/units', { ...input, isChunked: true });
    const outcome = await checkAnswer(answer);
    if (answer.status === 202 && JSON.parse(answer.body.toString()).accepted === 0)
      throw new Finding('202, and nothing was accepted');
    return outcome;
  },
});

const config = readConfig({});

/** Reads an input. Returns the longest stretch for which it kept this process busy, in milliseconds. */
async function readAlone({ body, pieceBytes }: UnitInput): Promise<number> {
  async function* pieces() {
    for (let at = 0; at < body.length; at += pieceBytes) yield body.subarray(at, at + pieceBytes);
  }
  let [isReading, longestUs, before] = [true, 0, busyUs()];
  const ticking = (async () => {
    while (isReading) {
      await nextTurn();
      const now = busyUs();
      longestUs = Math.max(longestUs, now - before);
      before = now;
    }
  })();
  try {
    const toUnit = (value: unknown, note?: (text: string) => void) => parseUnit(value, config, note);
    for await (const entry of readUnits(pieces(), { toUnit, notes: createInputNotes() })) {
      if ('state' in entry && entry.detail === '') throw new Finding('a line was refused without a reason');
    }
  } catch (error) {
    if (!(error instanceof InputFault)) throw error;
  } finally {
    isReading = false;
    await ticking;
  }
  return longestUs / 1000;
}

/** Of the processor, not of the clock: others use this machine, too. */
function busyUs(): number {
  return process.cpuUsage().user;
}
