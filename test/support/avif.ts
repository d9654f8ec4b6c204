import sharp from 'sharp';
import { expect } from 'vitest';
import { readSequenceHeader } from '../../src/decode/containers/av1-sequence-header.ts';
import { type AvifItem, readAvifItems } from '../../src/decode/containers/avif-items.ts';
import { isPhoneAvif } from '../../src/encode/avif-container.ts';
import type { EncodedImage, EncodeRequest } from '../../src/encode/encoder.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { photograph, print } from './pictures.ts';

const encoder = createSharpEncoder({ concurrency: 2, maxPixels: 20_000_000 });

async function encode(source: Uint8Array, wanted: Partial<EncodeRequest> = {}): Promise<EncodedImage> {
  const request = { width: 320, tier: 'balanced', format: 'avif', effort: 'fast', ...wanted } as const;
  const image = await encoder.decode(source, request.width, 'viewer');
  return await image.encode(request);
}

/** Each way in which an AVIF is made. */
export const AVIF_PATHS: Readonly<Record<string, () => Promise<EncodedImage>>> = {
  'effort fast': async () => encode(await photograph()),
  'effort fast, tier high': async () => encode(await photograph(), { tier: 'high' }),
  'effort best': async () => encode(await photograph(), { effort: 'best' }),
  'effort best, softened between two levels': async () =>
    encode(await photograph(), { effort: 'best', tier: 'saver', width: 480 }),
  'a budget of bytes': async () =>
    encode(await photograph(), { effort: 'best', tier: 'high', maxBytes: 8000 }),
  'effort fast, with transparency': async () => encode(await translucent()),
  'effort best, with transparency': async () => encode(await translucent(), { effort: 'best' }),
  'a printed page': async () => encode(await print()),
  'a grey source': async () =>
    encode(
      await sharp(await photograph())
        .greyscale()
        .toColourspace('b-w')
        .jpeg()
        .toBuffer(),
    ),
  'a source of odd sides': async () => encode(await cut(161, 119)),
  'a source of one column': async () => encode(await cut(1, 2001)),
};

/** A source that is too long to be kept decoded takes seconds. */
export const SLOW_AVIF_PATHS: typeof AVIF_PATHS = {
  'a source too long to be kept decoded': async () => encode(await long(), { width: 1031 }),
};

/** A photograph that becomes transparent towards the right. */
export async function translucent(): Promise<Buffer> {
  const { data, info } = await sharp(await photograph())
    .resize(400)
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  for (let i = 0; i < info.width * info.height; i++) data[4 * i + 3] = (i % info.width) >> 1;
  const { width, height } = info;
  return sharp(data, { raw: { width, height, channels: 4 } })
    .png()
    .toBuffer();
}

/** The middle of a photograph, as JPEG. */
export async function cut(width: number, height: number): Promise<Buffer> {
  return sharp(await photograph())
    .resize(2100, 2100, { fit: 'fill' })
    .extract({ left: 700, top: 20, width, height })
    .jpeg()
    .toBuffer();
}

/** Many photographs below each other: more pixels than are kept decoded. */
async function long(): Promise<Buffer> {
  const tile = await sharp(await photograph())
    .resize(1031, 819, { fit: 'fill' })
    .toBuffer();
  return sharp({ create: { width: 1031, height: 20 * 819 + 3, channels: 3, background: '#888' } })
    .composite([{ input: tile, tile: true, gravity: 'northwest' }])
    .jpeg()
    .toBuffer();
}

/** What each box and bitstream of an AVIF says, as the names and numbers of the specifications. */
function descriptionOf({ data, properties }: AvifItem) {
  const header = readSequenceHeader(data);
  if (!header) throw new Error('no sequence header');
  const content = (type: string) => {
    const found = properties.find((property) => property.type === type);
    return found && Buffer.from(found.content);
  };
  const [av1C, colr, pixi, ispe] = ['av1C', 'colr', 'pixi', 'ispe'].map(content);
  return {
    header,
    av1C: av1C && {
      profile: (av1C[1] as number) >> 5,
      levelIndex: (av1C[1] as number) & 31,
      flags: av1C[2],
    },
    colr: colr && {
      type: colr.toString('latin1', 0, 4),
      codePoints: [colr.readUInt16BE(4), colr.readUInt16BE(6), colr.readUInt16BE(8)],
      isFullRange: colr[10] === 0x80,
    },
    pixi: pixi && [...pixi.subarray(4)],
    ispe: ispe && { width: ispe.readUInt32BE(4), height: ispe.readUInt32BE(8) },
  };
}

const SUBSAMPLED = 0b1100;
const MONOCHROME = 0b1_0000;

/** Asserts that all pictures of an AVIF are of the kind that phones decode, and that its boxes and bitstreams agree on it. */
export function expectPhoneKind(file: Uint8Array): void {
  const items = readAvifItems(file);
  if (!items) throw new Error('no AVIF');
  for (const item of items.all) {
    const { header, av1C, colr, pixi, ispe } = descriptionOf(item);
    expect(header).toMatchObject({ profile: 0, bitDepth: 8, isSubsampledX: true, isSubsampledY: true });
    expect(header).toMatchObject({ isStillPicture: true, tier: 0, isFullRange: true, ...ispe });
    const flags = SUBSAMPLED | (header.isMonochrome ? MONOCHROME : 0);
    expect(av1C).toEqual({ profile: 0, levelIndex: header.levelIndex, flags });
    expect(pixi).toEqual(header.isMonochrome ? [1, 8] : [3, 8, 8, 8]);
    for (const side of [header.width, header.height]) expect(side === 1 || side % 2 === 0).toBe(true);
    if (item !== items.primary) continue;
    const { primaries, transfer, matrix } = header;
    expect([primaries, transfer, matrix]).toEqual([1, 13, 6]);
    expect(colr).toEqual({ type: 'nclx', codePoints: [1, 13, 6], isFullRange: true });
  }
  const levels = items.all.map(({ data }) => readSequenceHeader(data)?.levelIndex ?? 31);
  const LEVEL_5_1 = 13;
  expect(brandsOf(file).includes('MA1B')).toBe(levels.every((level) => level <= LEVEL_5_1));
  expect(brandsOf(file)).toEqual(expect.arrayContaining(['avif', 'mif1', 'miaf']));
  expect(isPhoneAvif(file)).toBe(true);
}

function brandsOf(file: Uint8Array): string[] {
  const ftyp = Buffer.from(file.subarray(0, Buffer.from(file).readUInt32BE(0)));
  return Array.from({ length: (ftyp.length - 16) / 4 }, (_, i) =>
    ftyp.toString('latin1', 16 + 4 * i, 20 + 4 * i),
  );
}
