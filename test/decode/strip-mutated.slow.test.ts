import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { edits, mutate } from '../../scripts/fuzz/mutations.ts';
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

/** Returns what is left; `undefined` where the file is not stripped or refused. Other errors are thrown. */
function stripped(strip: Strip, bytes: Uint8Array): Uint8Array | undefined {
  try {
    return strip(bytes);
  } catch (error) {
    if (error instanceof EdgepressError) return undefined;
    throw error;
  }
}

describe('stripping a mutated file', () => {
  it.each(Object.keys(FILES))('gives no more bytes than it has, and no more to strip: %s', async (name) => {
    const [strip, make] = FILES[name] as [Strip, () => Promise<Buffer>];
    const file = await make();
    expect(stripped(strip, file)?.length).toBeGreaterThan(0);
    fc.assert(
      fc.property(edits, (changes) => {
        const mutated = mutate(file, changes, file);
        const once = stripped(strip, mutated);
        if (!once) return;
        expect(once.length).toBeLessThanOrEqual(mutated.length);
        expect(stripped(strip, once)).toEqual(once);
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
