import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { findIntegers, writeInteger } from './integers.ts';
import { share } from './share.ts';

/** A change of a file. Places are shares of its length, so that it fits any file. */
export type Edit =
  | { edit: 'integer'; which: number; isNear: boolean; value: number | 'length' | 'rest'; plus: number }
  | { edit: 'set' | 'insert'; at: number; bytes: Uint8Array }
  | { edit: 'flip'; at: number; bit: number }
  | { edit: 'remove' | 'repeat'; at: number; length: number; times: number }
  | { edit: 'move'; at: number; length: number; to: number }
  | { edit: 'cut'; at: number }
  | { edit: 'splice'; at: number; from: number; length: number };

/** What lengths, markers, types of boxes and ends of files are made of. */
const TELLING = [
  '00',
  'ff',
  'ffd8',
  'ffd9',
  'ffda0002',
  'ffe00002',
  'ff01',
  'ffffffff',
  '7fffffff',
  '80000000',
  '00000000',
  '00000001',
  '21ff00',
  '2c',
  '3b',
]
  .map((hex) => Buffer.from(hex, 'hex'))
  .concat(
    [
      'IEND',
      'IDAT',
      'acTL',
      'fdAT',
      'iCCP',
      'ANMF',
      'VP8X',
      'VP8 ',
      'ALPH',
      'EXIF',
      'Exif\0\0',
      'II*\0',
      'meta',
      'iloc',
      'iref',
      'ispe',
      'colr',
      'grid',
      'mdat',
      'moov',
      'jxlc',
      'jxlp',
      'jp2c',
      'ihdr',
      '8BIM',
      'endobj',
      'stream',
      '<<',
      '/Kids',
    ].map((text) => Buffer.from(text, 'latin1')),
  );

/** Headers are near the beginning, and what a reader may read beyond is at the end. */
const place = fc.oneof(
  { weight: 3, arbitrary: share },
  share.map((value) => value / 10),
  share.map((value) => 0.95 + value / 20),
);
const length = fc.oneof(fc.nat(8), fc.nat(64), fc.nat(4096));
const bytes = fc.oneof(fc.constantFrom(...TELLING), fc.uint8Array({ minLength: 1, maxLength: 8 }));
const value = fc.oneof(
  fc.constantFrom<number | 'length' | 'rest'>('length', 'rest'),
  fc.constantFrom(
    0,
    1,
    2,
    3,
    7,
    8,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x10000,
    0x7fffffff,
    0x80000000,
    0xfffffff0,
    0xffffffff,
  ),
  fc.nat(0xffffffff),
);

const edit: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      edit: fc.constant('integer' as const),
      which: share,
      isNear: fc.boolean(),
      value,
      plus: fc.integer({ min: -2, max: 2 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ edit: fc.constantFrom('set' as const, 'insert' as const), at: place, bytes }),
  },
  { weight: 2, arbitrary: fc.record({ edit: fc.constant('flip' as const), at: place, bit: fc.nat(7) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      edit: fc.constantFrom('remove' as const, 'repeat' as const),
      at: place,
      length,
      times: fc.nat(20),
    }),
  },
  { weight: 1, arbitrary: fc.record({ edit: fc.constant('move' as const), at: place, length, to: place }) },
  { weight: 1, arbitrary: fc.record({ edit: fc.constant('cut' as const), at: place }) },
  {
    weight: 1,
    arbitrary: fc.record({ edit: fc.constant('splice' as const), at: place, from: place, length }),
  },
);

/** Some changes of a file. */
export const edits = fc.array(edit, { minLength: 1, maxLength: 4 });

/**
 * Changes a file.
 *
 * @param other - the file that spliced parts are taken from
 */
export function mutate(file: Buffer, changes: readonly Edit[], other: Buffer): Buffer {
  return changes.reduce((changed, change) => apply(changed, change, other), file);
}

function apply(file: Buffer, change: Edit, other: Buffer): Buffer {
  if (change.edit === 'integer') return changeInteger(file, change);
  const at = Math.floor(change.at * file.length);
  const [before, after] = [file.subarray(0, at), file.subarray(at)];
  switch (change.edit) {
    case 'set':
      return Buffer.concat([before, change.bytes, after.subarray(change.bytes.length)]);
    case 'insert':
      return Buffer.concat([before, change.bytes, after]);
    case 'flip': {
      const flipped = Buffer.from(file);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << change.bit);
      return flipped;
    }
    case 'remove':
      return Buffer.concat([before, after.subarray(change.length)]);
    case 'repeat':
      return Buffer.concat([
        before,
        ...Array<Buffer>(change.times).fill(after.subarray(0, change.length)),
        after,
      ]);
    case 'move': {
      const rest = Buffer.concat([before, after.subarray(change.length)]);
      const to = Math.floor(change.to * rest.length);
      return Buffer.concat([rest.subarray(0, to), after.subarray(0, change.length), rest.subarray(to)]);
    }
    case 'cut':
      return before;
    case 'splice': {
      const from = Math.floor(change.from * other.length);
      return Buffer.concat([before, other.subarray(from, from + change.length), after]);
    }
  }
}

function changeInteger(
  file: Buffer,
  { which, isNear, value, plus }: Extract<Edit, { edit: 'integer' }>,
): Buffer {
  const integers = findIntegers(file);
  const found = integers[Math.floor(which * integers.length)];
  if (!found) return file;
  const wanted = value === 'length' ? file.length : value === 'rest' ? file.length - found.at : value;
  const changed = isNear ? found.value + plus : wanted + plus;
  return writeInteger(file, found, changed);
}

const PNG_SIGNATURE = '\x89PNG\r\n\x1a\n';

/** Writes the right checksum of each chunk of a PNG, so that a decoder looks at what has changed in it. Returns other files as they are. */
export function withRightChecksums(file: Buffer): Buffer {
  if (file.toString('latin1', 0, 8) !== PNG_SIGNATURE) return file;
  const fixed = Buffer.from(file);
  for (let at = 8; at + 12 <= fixed.length; ) {
    const end = at + 8 + fixed.readUInt32BE(at);
    if (end + 4 > fixed.length) break;
    fixed.writeUInt32BE(crc32(fixed.subarray(at + 4, end)), end);
    at = end + 4;
  }
  return fixed;
}
