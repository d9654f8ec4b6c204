import { deflateSync, inflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { inspectSource } from '../../src/decode/inspect.ts';
import { servableOriginal } from '../../src/encode/servable-original.ts';
import { joinPng, pngChunk, splitPng } from '../support/file-faults.ts';
import { decodedPixels, outcomeOf, pseudoRandom } from '../support/outcome.ts';
import { animation, photograph } from '../support/pictures.ts';

const photo = async () => sharp(await photograph()).resize(120);

/** Returns a PNG with other data of the pixels, in one chunk. */
function withData(file: Buffer, change: (data: Buffer) => Buffer): Buffer {
  const chunks = splitPng(file);
  const data = change(Buffer.concat(chunks.filter(({ type }) => type === 'IDAT').map((one) => one.data)));
  const before = chunks.filter(({ type }) => type !== 'IDAT' && type !== 'IEND');
  return joinPng(
    [...before, { type: 'IDAT', data }, { type: 'IEND', data: Buffer.alloc(0) }].map((one) => pngChunk(one)),
  );
}

/** Returns a PNG in which the chunks of a type have wrong checksums. */
function withWrongChecksums(file: Buffer, wrong: string): Buffer {
  return joinPng(splitPng(file).map((chunk) => pngChunk(chunk, chunk.type !== wrong)));
}

function flipped(data: Buffer, at: number): Buffer {
  const copy = Buffer.from(data);
  copy[at] = (copy[at] as number) ^ 1;
  return copy;
}

describe('a PNG with a harmless fault', () => {
  it.each(['plain', 'interlaced', 'with a palette'])('is decoded as the healthy one: %s', async (kind) => {
    const options = { progressive: kind === 'interlaced', palette: kind === 'with a palette' };
    const file = await (await photo()).png(options).toBuffer();
    const text = pngChunk({ type: 'tEXt', data: Buffer.from('Comment\0hello') }, false);
    const faulty = {
      'wrong checksum of a text': Buffer.concat([file.subarray(0, 33), text, file.subarray(33)]),
      'wrong checksums of the pixels': withWrongChecksums(file, 'IDAT'),
      'wrong checksum of the compressed data': withData(file, (data) => flipped(data, data.length - 1)),
      'no checksum of the compressed data': withData(file, (data) => data.subarray(0, -4)),
      'a window that is too small': withData(file, (data) =>
        Buffer.concat([Buffer.from([0x18, 0x19]), data.subarray(2)]),
      ),
      'more data than pixels': withData(file, (data) => Buffer.concat([data, pseudoRandom(30)])),
      'no end': file.subarray(0, -12),
      'cut off behind the pixels': file.subarray(0, -20),
      'an end of 4 GiB': Buffer.concat([file.subarray(0, -12), Buffer.alloc(4, 255), file.subarray(-8)]),
      'bytes after the end': Buffer.concat([file, pseudoRandom(100)]),
    };
    const expected = await decodedPixels(file);
    for (const [name, bytes] of Object.entries(faulty))
      expect((await decodedPixels(bytes)).equals(expected), name).toBe(true);
  });

  it('is source_corrupt if pixels are missing, or both checksums are wrong', async () => {
    const file = await (await photo()).png().toBuffer();
    const damaged = {
      'cut off': file.subarray(0, file.length * 0.9),
      'cut off, with an end': withData(file, (data) => data.subarray(0, data.length * 0.9)),
      'too few rows': withData(file, (data) => deflateSync(inflateSync(data).subarray(0, -500))),
      'a changed bit': flipped(file, file.length >> 1),
      'a piece of zeros': Buffer.concat([file.subarray(0, 5000), Buffer.alloc(500), file.subarray(5500)]),
    };
    for (const [name, bytes] of Object.entries(damaged))
      expect(await outcomeOf(bytes), name).toBe('source_corrupt');
  });
});

describe('a GIF', () => {
  it('is decoded without its trailer, with zeros before it, and with other bytes in its place', async () => {
    for (const file of [
      await (await photo()).gif().toBuffer(),
      await (await animation(32, 24)).gif().toBuffer(),
    ]) {
      const { frames, facts } = await inspectSource(file, 1e6);
      const body = file.subarray(0, -1);
      for (const end of ['', '\0\0\0\0;', '\0\0\0', '\r\n', 'junk']) {
        const faulty = Buffer.concat([body, Buffer.from(end, 'latin1')]);
        const inspected = await inspectSource(faulty, 1e6);
        expect(inspected).toMatchObject({ frames, facts: { ...facts, bytes: faulty.length } });
        expect(await outcomeOf(faulty)).toBe('image');
        // A phone gets the file with its trailer.
        expect(Buffer.from(servableOriginal(inspected)?.body ?? []).at(-1)).toBe(0x3b);
      }
    }
  });

  it('is source_corrupt if a frame lacks pixels, whether the file has its trailer or not', async () => {
    const file = await (await animation(32, 24)).gif().toBuffer();
    for (const length of [10, 20, 40]) {
      const cut = file.subarray(0, -1 - length);
      expect(await outcomeOf(cut), `${length} bytes`).toBe('source_corrupt');
    }
    // One pixel of four, then the code of the end.
    const few = Buffer.from(
      'GIF89a\x02\0\x02\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x02\0\x02\0\0\x02\x02\x44\x01\0;',
      'latin1',
    );
    expect(await outcomeOf(few)).toBe('source_corrupt');
  });

  it('is source_corrupt if it ends where another frame has begun', async () => {
    const file = await (await animation(32, 24)).gif().toBuffer();
    const begun = Buffer.concat([file.subarray(0, -1), Buffer.from('\x21\xf9\x04\0\0\0\0\0', 'latin1')]);
    expect(await outcomeOf(begun)).toBe('source_corrupt');
  });
});

/** A frame of a GIF in one colour. Without a disposal, it has no graphic control extension. */
interface Frame {
  left: number;
  size: number;
  colour: 0 | 1 | 2;
  disposal?: 1 | 2 | 3;
}

/** Returns a GIF of 8 × 8 pixels in green, red and blue, none of them transparent. Green is the colour of the background. */
function gifOf(frames: readonly Frame[], minimumBits = 2): Buffer {
  const clear = 1 << minimumBits;
  const frameOf = ({ left, size, colour, disposal }: Frame) => {
    // Each pixel is a code of its own, after one that clears the table: all codes have the same length.
    const codes = Array.from({ length: size * size }, () => [clear, colour]).flat();
    const bits = [...codes, clear + 1].map((code) => code.toString(2).padStart(minimumBits + 1, '0'));
    const data = bits.reverse().join('');
    const bytes = Buffer.from(
      data
        .padStart(Math.ceil(data.length / 8) * 8, '0')
        .match(/.{8}/g)
        ?.map((byte) => Number.parseInt(byte, 2)) ?? [],
    ).reverse();
    const control = disposal === undefined ? [] : [0x21, 0xf9, 4, disposal << 2, 10, 0, 0, 0];
    const descriptor = [0x2c, left, 0, 0, 0, size, 0, size, 0, 0, minimumBits, bytes.length];
    return Buffer.concat([Buffer.from([...control, ...descriptor]), bytes, Buffer.of(0)]);
  };
  const palette = [0, 255, 0, 255, 0, 0, 0, 0, 255, 9, 9, 9];
  const header = Buffer.from('GIF89a\x08\0\x08\0\x91\0\0', 'latin1');
  return Buffer.concat([header, Buffer.from(palette), ...frames.map(frameOf), Buffer.from(';')]);
}

/** Returns the pixel in the middle of the left half and of the right half of each frame. */
async function halvesOf(gif: Buffer): Promise<string[][]> {
  const { bytes } = await inspectSource(gif, 1e6);
  const { data, info } = await sharp(bytes, { animated: true })
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const pixel = (x: number, y: number) => data.subarray(4 * (8 * y + x), 4 * (8 * y + x) + 4).toString('hex');
  return Array.from({ length: info.height / 8 }, (_, frame) => [
    pixel(2, 8 * frame + 2),
    pixel(6, 8 * frame + 2),
  ]);
}

describe('a GIF without a transparent colour', () => {
  const [green, red, blue, clear] = ['00ff00ff', 'ff0000ff', '0000ffff', '00000000'];

  it('is transparent where its only frame leaves the screen free, as in browsers', async () => {
    expect(await halvesOf(gifOf([{ left: 0, size: 4, colour: 1 }]))).toEqual([[red, clear]]);
    expect(await halvesOf(gifOf([{ left: 4, size: 4, colour: 1, disposal: 1 }]))).toEqual([[clear, red]]);
  });

  it.each([2, 3] as const)('is transparent where a frame is disposed of (%i)', async (disposal) => {
    const frames = [
      { left: 0, size: 8, colour: 1, disposal },
      { left: 4, size: 4, colour: 2, disposal: 2 },
      { left: 0, size: 4, colour: 0, disposal: 1 },
    ] as const;
    expect(await halvesOf(gifOf(frames))).toEqual([
      [red, red],
      [clear, blue],
      [green, clear],
    ]);
  });

  it('finds a colour that no pixel has in a palette of 256', async () => {
    const frames = [
      { left: 0, size: 8, colour: 1, disposal: 2 },
      { left: 4, size: 4, colour: 2, disposal: 1 },
    ] as const;
    expect(await halvesOf(gifOf(frames, 8))).toEqual([
      [red, red],
      [clear, blue],
    ]);
  });

  it('stays as it is, opaque, where the next frame covers what is disposed of', async () => {
    const file = gifOf([
      { left: 0, size: 8, colour: 1, disposal: 2 },
      { left: 0, size: 8, colour: 2, disposal: 2 },
    ]);
    expect((await inspectSource(file, 1e6)).bytes).toBe(file);
    expect((await inspectSource(file, 1e6)).metadata.hasAlpha).toBe(false);
  });
});

describe('an animated WebP', () => {
  it('is source_corrupt if bytes are missing or too many within its frames, but not behind them', async () => {
    const file = await (await animation(64, 48)).webp({ effort: 0 }).toBuffer();
    const { frames } = await inspectSource(file, 1e6);
    const middle = file.length >> 1;
    const without = Buffer.concat([file.subarray(0, middle), file.subarray(middle + 30)]);
    const within = Buffer.concat([file.subarray(0, middle), pseudoRandom(30), file.subarray(middle)]);
    expect(await outcomeOf(without)).toBe('source_corrupt');
    expect(await outcomeOf(within)).toBe('source_corrupt');
    for (const length of [file.length - 8, 0, 0xffffffff]) {
      const behind = Buffer.concat([file, pseudoRandom(100)]);
      behind.writeUInt32LE(length, 4);
      expect((await inspectSource(behind, 1e6)).frames).toBe(frames);
      expect(await outcomeOf(behind)).toBe('image');
    }
  });
});

describe('a WebP with a wrong length in its header', () => {
  it.each([0, 100, 0xffffffff])('is decoded as the healthy one: %i', async (length) => {
    for (const lossless of [false, true]) {
      const file = await (await photo()).webp({ lossless, effort: 0 }).toBuffer();
      const faulty = Buffer.from(file);
      faulty.writeUInt32LE(length, 4);
      const expected = await decodedPixels(file);
      expect((await decodedPixels(faulty)).equals(expected)).toBe(true);
      expect((await decodedPixels(Buffer.concat([faulty, pseudoRandom(100)]))).equals(expected)).toBe(true);
      expect(Buffer.from(servableOriginal(await inspectSource(faulty, 1e6))?.body ?? []).equals(file)).toBe(
        true,
      );
    }
  });

  it('is source_corrupt if it is cut off, whatever its header says', async () => {
    const file = await (await photo()).webp().toBuffer();
    const cut = Buffer.from(file.subarray(0, file.length * 0.9));
    expect(await outcomeOf(cut)).toBe('source_corrupt');
    cut.writeUInt32LE(cut.length - 8, 4);
    expect(await outcomeOf(cut)).toBe('source_corrupt');
  });
});
