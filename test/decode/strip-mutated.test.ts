import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stripGif, stripJpeg, stripPng, stripWebp } from '../../src/decode/containers/strip-metadata.ts';
import { EdgepressError } from '../../src/protocol/error.ts';
import { jpegSegment, pngChunk } from '../support/file-faults.ts';
import { animation, quarters } from '../support/pictures.ts';

type Place = (file: Buffer) => number;
type Strip = (bytes: Uint8Array) => Uint8Array | undefined;

const withMetadata = () =>
  quarters()
    .withExif({ IFD0: { Artist: 'someone' } })
    .withIccProfile('srgb');

const FILES: Readonly<Record<string, [Strip, () => Promise<Buffer>]>> = {
  jpeg: [stripJpeg, () => withMetadata().jpeg().toBuffer()],
  'progressive jpeg': [stripJpeg, () => withMetadata().jpeg({ progressive: true }).toBuffer()],
  png: [stripPng, () => withMetadata().png().toBuffer()],
  webp: [stripWebp, () => withMetadata().webp().toBuffer()],
  'animated webp': [stripWebp, async () => (await animation(16, 16)).webp().toBuffer()],
  gif: [stripGif, async () => (await animation(16, 16)).gif({ loop: 3 }).toBuffer()],
};

/** What lengths, markers and introducers of blocks are made of. */
const telling = fc.constantFrom(
  ...[
    '00',
    'ff',
    'ffd8',
    'ffd9',
    'ffda0002',
    'ffe00002',
    'ff01',
    'ffffffff',
    '7fffffff',
    '00000000',
    '21ff00',
    '2c',
    '3b',
  ].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex'))),
);

const edits = fc.array(
  fc.record({
    // Headers are near the beginning, and what a reader may read beyond is at the end.
    at: fc.oneof(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 0.1, noNaN: true }),
      fc.double({ min: 0.95, max: 1, noNaN: true }),
    ),
    kind: fc.constantFrom('set', 'set', 'insert', 'remove', 'cut'),
    bytes: fc.oneof(telling, fc.uint8Array({ minLength: 1, maxLength: 8 })),
  }),
  { minLength: 1, maxLength: 5 },
);

function mutate(file: Buffer, changes: readonly { at: number; kind: string; bytes: Uint8Array }[]): Buffer {
  return changes.reduce((bytes, { at: share, kind, bytes: values }) => {
    const at = Math.floor(share * bytes.length);
    if (kind === 'cut') return bytes.subarray(0, at);
    const rest = bytes.subarray(kind === 'insert' ? at : at + values.length);
    return Buffer.concat([bytes.subarray(0, at), ...(kind === 'remove' ? [] : [values]), rest]);
  }, file);
}

/** Returns how many bytes are left; `undefined` where the file is not stripped or refused. Other errors are thrown. */
function strippedBytes(strip: Strip, bytes: Uint8Array): number | undefined {
  try {
    return strip(bytes)?.length;
  } catch (error) {
    if (error instanceof EdgepressError) return undefined;
    throw error;
  }
}

describe('stripping a mutated file', () => {
  it.each(Object.keys(FILES))('gives no more bytes than it has, or none: %s', async (name) => {
    const [strip, make] = FILES[name] as [Strip, () => Promise<Buffer>];
    const file = await make();
    expect(strippedBytes(strip, file)).toBeGreaterThan(0);
    fc.assert(
      fc.property(edits, (changes) => {
        const mutated = mutate(file, changes);
        expect(strippedBytes(strip, mutated) ?? 0).toBeLessThanOrEqual(mutated.length);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('stripping a file of countless tiny parts', () => {
  const tiny = (part: Buffer) => Buffer.alloc(part.length * 200_000, part);

  it.each<[string, () => Buffer, Place]>([
    ['jpeg', () => tiny(jpegSegment(0xe5, Buffer.alloc(0))), () => 2],
    ['png', () => tiny(pngChunk({ type: 'prVt', data: Buffer.alloc(0) })), () => 33],
    ['gif', () => tiny(Buffer.from('21fe00', 'hex')), (file) => file.length - 1],
    ['gif', () => Buffer.from(`21fe${'0141'.repeat(2_000_000)}00`, 'hex'), (file) => file.length - 1],
    ['jpeg', () => tiny(Buffer.from('ff00'.repeat(10), 'hex')), (file) => file.length - 2],
  ])('refuses it: %s', async (name, parts, place) => {
    const [strip, make] = FILES[name] as [Strip, () => Promise<Buffer>];
    const file = await make();
    const at = place(file);
    const many = Buffer.concat([file.subarray(0, at), parts(), file.subarray(at)]);
    expect(() => strip(many)).toThrow(expect.objectContaining({ code: 'source_too_large' }));
  });
});
