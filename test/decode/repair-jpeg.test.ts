import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { inspectSource } from '../../src/decode/inspect.ts';
import { servableOriginal } from '../../src/encode/servable-original.ts';
import { joinJpeg, jpegSegment, splitJpeg } from '../support/file-faults.ts';
import { decodedPixels, outcomeOf, pseudoRandom } from '../support/outcome.ts';
import { photograph } from '../support/pictures.ts';

const JFIF = jpegSegment(0xe0, Buffer.from('JFIF\0\x01\x01\0\0\x01\0\x01\0\0', 'latin1'));
const adobe = (transform: number) =>
  jpegSegment(0xee, Buffer.concat([Buffer.from('Adobe\0\x64\0\0\0\0', 'latin1'), Buffer.from([transform])]));

let baseline: Buffer;
let progressive: Buffer;

beforeAll(async () => {
  const photo = sharp(await photograph()).resize(240);
  // The standard Huffman tables, which a frame of Motion JPEG leaves out.
  const file = splitJpeg(await photo.clone().jpeg({ optimiseCoding: false }).toBuffer());
  baseline = joinJpeg([JFIF, ...file.segments.map(({ bytes }) => bytes)], file.data, file.end);
  progressive = await photo.clone().jpeg({ progressive: true }).toBuffer();
});

/** Returns the baseline JPEG with other segments; each change gets the segments without JFIF, which comes first. */
function withSegments(
  change: (segments: { marker: number; bytes: Buffer }[]) => Buffer[],
  first = JFIF,
): Buffer {
  const { segments, data, end } = splitJpeg(baseline);
  return joinJpeg([first, ...change(segments.slice(1))], data, end);
}

const stray = pseudoRandom(16);
const beforeAt = (marker: number, bytes: Buffer) =>
  withSegments((segments) =>
    segments.flatMap((one) => (one.marker === marker ? [bytes, one.bytes] : [one.bytes])),
  );
const changed = (file: Buffer, at: number, values: readonly number[]) => {
  const copy = Buffer.from(file);
  copy.set(values, at);
  return copy;
};
const startOfData = (file: Buffer) => file.length - 2 - splitJpeg(file).data.length;

const HARMLESS: Readonly<Record<string, () => Buffer>> = {
  'spectral bytes of 0, as phones of Samsung write them': () =>
    changed(baseline, startOfData(baseline) - 3, [0, 0, 0]),
  'other spectral bytes': () => changed(baseline, startOfData(baseline) - 3, [63, 63, 255]),
  'JFIF 2.1': () => withSegments((segments) => segments.map(({ bytes }) => bytes), changed(JFIF, 9, [2, 1])),
  'an unknown colour transform of Adobe': () => beforeAt(0xc0, adobe(5)),
  'stray bytes before the frame': () => beforeAt(0xc0, stray),
  'stray bytes before the scan': () => beforeAt(0xda, stray),
  'stray zeros': () => beforeAt(0xdb, Buffer.alloc(30)),
  'markers that stand alone': () => beforeAt(0xc0, Buffer.from([0xff, 0xd0, 0xff, 0x01, 65])),
  'an application segment that is longer than it says': () => beforeAt(0xc0, jpegSegment(0xe5, stray, 10)),
  'an application segment of length 0': () => beforeAt(0xc0, jpegSegment(0xe5, stray, 0)),
  'no Huffman tables, as in Motion JPEG': () =>
    withSegments((segments) => segments.filter(({ marker }) => marker !== 0xc4).map(({ bytes }) => bytes)),
  'no end': () => baseline.subarray(0, -2),
  'no end, and zeros in its place': () => Buffer.concat([baseline.subarray(0, -2), Buffer.alloc(500)]),
  'half an end': () => baseline.subarray(0, -1),
  'bytes before the end': () =>
    Buffer.concat([baseline.subarray(0, -2), pseudoRandom(100), baseline.subarray(-2)]),
  'bytes after the end': () => Buffer.concat([baseline, pseudoRandom(1000)]),
};

describe('a JPEG with a harmless fault', () => {
  it.each(Object.keys(HARMLESS))('is decoded as the healthy one: %s', async (fault) => {
    const pixels = await decodedPixels((HARMLESS[fault] as () => Buffer)());
    expect(pixels.equals(await decodedPixels(baseline))).toBe(true);
  });

  it.each([1, 3, 16, 100, 1000])(
    'is decoded if it is progressive and has %i bytes before its end',
    async (length) => {
      const expected = await decodedPixels(progressive);
      for (const bytes of [pseudoRandom(length), Buffer.alloc(length)]) {
        const faulty = Buffer.concat([progressive.subarray(0, -2), bytes, progressive.subarray(-2)]);
        expect((await decodedPixels(faulty)).equals(expected)).toBe(true);
      }
      expect((await decodedPixels(progressive.subarray(0, -2))).equals(expected)).toBe(true);
    },
  );

  it('keeps its orientation and its profile', async () => {
    const photo = sharp(await photograph()).resize(64);
    const file = await photo.withMetadata({ orientation: 6 }).withIccProfile('p3').jpeg().toBuffer();
    const firstEnd = 4 + file.readUInt16BE(4);
    const faulty = Buffer.concat([file.subarray(0, firstEnd), stray, file.subarray(firstEnd)]);
    const [healthy, repaired] = await Promise.all([inspectSource(file, 1e6), inspectSource(faulty, 1e6)]);
    expect(repaired.metadata.orientation).toBe(6);
    expect(repaired.iccProfile).toEqual(healthy.iccProfile);
    expect(repaired.facts).toEqual({ ...healthy.facts, bytes: faulty.length });
    expect((await decodedPixels(faulty)).equals(await decodedPixels(file))).toBe(true);
  });

  it('is sent without the fault in place of a variant', async () => {
    const file = await sharp(await photograph())
      .resize(100)
      .jpeg({ quality: 10, optimiseCoding: false })
      .toBuffer();
    const { segments, data, end } = splitJpeg(file);
    const faulty = joinJpeg(
      segments
        .filter(({ marker }) => marker !== 0xc4)
        .flatMap(({ bytes }) => [bytes, Buffer.from('stray')].slice(0, 1 + Number(bytes[1] === 0xdb))),
      data,
      pseudoRandom(20),
      end,
    );
    const servable = servableOriginal(await inspectSource(faulty, 1e6));
    const sent = splitJpeg(Buffer.from(servable?.body ?? []));
    expect(sent.segments.map(({ marker }) => marker)).toContain(0xc4);
    expect(sent.data.equals(data)).toBe(true);
  });

  it('is the same file to the decoder if there is no fault', async () => {
    for (const file of [baseline, progressive]) expect((await inspectSource(file, 1e6)).bytes).toBe(file);
  });
});

describe('a JPEG with damage', () => {
  /** Replaces a piece of the data at a share of them. */
  function withHole(file: Buffer, share: number, length: number, content: Buffer): Buffer {
    const [from, to] = [startOfData(file), file.length - 2 - length];
    const at = Math.floor(from + share * (to - from));
    return Buffer.concat([file.subarray(0, at), content, file.subarray(at + length)]);
  }

  it('is source_corrupt in prewarm if it is large and only a check of its scans shows the damage', async () => {
    const noise = pseudoRandom(1200 * 900 * 3);
    const raw = { width: 1200, height: 900, channels: 3 } as const;
    const large = await sharp(noise, { raw }).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
    expect(large.length).toBeGreaterThan(2 ** 20);
    const damaged = withHole(large, 0.5, 500, Buffer.alloc(0));
    expect((await inspectSource(large, 1e7, true)).facts.width).toBe(1200);
    await expect(inspectSource(damaged, 1e7, true)).rejects.toMatchObject({ code: 'source_corrupt' });
    await expect(inspectSource(damaged, 1e7, false)).resolves.toMatchObject({ type: 'jpeg' });
  });

  it.each(['baseline', 'progressive'])('is source_corrupt: %s', async (kind) => {
    const file = kind === 'baseline' ? baseline : progressive;
    const damaged: Record<string, Buffer> = {
      'a piece is missing': withHole(file, 0.5, 400, Buffer.alloc(0)),
      'a piece is missing at the end': withHole(file, 1, 400, Buffer.alloc(0)),
      'a piece is zeros': withHole(file, 0.4, 400, Buffer.alloc(400)),
      'a piece is zeros at the end': withHole(file, 1, 400, Buffer.alloc(400)),
      'a piece is something else': withHole(file, 0.3, 400, pseudoRandom(400)),
      'the end is cut off': file.subarray(0, file.length * 0.9),
      'a few bytes are cut off': file.subarray(0, -20),
      'the end is cut off, with a marker of the end': Buffer.concat([
        file.subarray(0, file.length * 0.9),
        file.subarray(-2),
      ]),
      'the end is zeros': Buffer.concat([
        file.subarray(0, file.length * 0.7),
        Buffer.alloc(file.length * 0.3),
      ]),
    };
    for (const [name, bytes] of Object.entries(damaged))
      expect(await outcomeOf(bytes), name).toBe('source_corrupt');
  });

  it('is source_corrupt if a progressive one lacks its last scans', async () => {
    const lastScan = progressive.lastIndexOf(Buffer.from([0xff, 0xda]));
    const lastTable = progressive.lastIndexOf(Buffer.from([0xff, 0xc4]));
    expect(await outcomeOf(progressive.subarray(0, Math.min(lastScan, lastTable)))).toBe('source_corrupt');
  });
});
