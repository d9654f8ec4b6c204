import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type AvifItem, readAvifItems } from '../../src/decode/containers/avif-items.ts';
import type { EncodedImage } from '../../src/encode/encoder.ts';
import { AVIF_PATHS, expectPhoneKind, SLOW_AVIF_PATHS } from '../support/avif.ts';
import { describePage, openPage } from '../support/browser.ts';
import { prepared } from '../support/setup/prepared.ts';

const PATHS = { ...AVIF_PATHS, ...SLOW_AVIF_PATHS };
const made = (path: string): Promise<EncodedImage> => (PATHS[path] as (typeof AVIF_PATHS)[string])();

/** 8-bit planes of full-range luma and chroma, as a decoder returns them. Chroma is empty in monochrome. */
interface Planes {
  width: number;
  height: number;
  y: Buffer;
  u: Buffer;
  v: Buffer;
}

/** Decodes one AV1 picture with libgav1, the decoder of Android's own codec component. */
async function decodeWithLibgav1({ data }: AvifItem): Promise<Planes> {
  const folder = await mkdtemp(join(tmpdir(), 'edgepress-gav1-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [input, output] = [join(folder, 'in.ivf'), join(folder, 'out.y4m')];
  await writeFile(input, ivf(data));
  await promisify(execFile)('gav1_decode', ['--y4m', '-o', output, input]);
  return readY4m(await readFile(output));
}

/** Wraps one frame in IVF, the container of videos that decoders' test programs read. */
function ivf(frame: Uint8Array): Buffer {
  const header = Buffer.alloc(44);
  header.write('DKIF', 0, 'latin1');
  header.writeUInt16LE(32, 6);
  header.write('AV01', 8, 'latin1');
  header.writeUInt32LE(1, 16);
  header.writeUInt32LE(1, 20);
  header.writeUInt32LE(1, 24);
  header.writeUInt32LE(frame.length, 32);
  return Buffer.concat([header, frame]);
}

/** Reads the only frame of a YUV4MPEG2 file. */
function readY4m(file: Buffer): Planes {
  const end = file.indexOf('\nFRAME\n');
  const header = file.toString('latin1', 0, end);
  const [width = 0, height = 0] = [/ W(\d+)/, / H(\d+)/].map((pattern) => Number(pattern.exec(header)?.[1]));
  const colours = / C(\w+)/.exec(header)?.[1] ?? '420';
  expect(colours).toMatch(/^(420|mono)(jpeg|mpeg2)?$/);
  const chromaBytes = colours.startsWith('mono') ? 0 : ((width + 1) >> 1) * ((height + 1) >> 1);
  const at = end + 7;
  const luma = at + width * height;
  const y = file.subarray(at, luma);
  const u = file.subarray(luma, luma + chromaBytes);
  const v = file.subarray(luma + chromaBytes, luma + 2 * chromaBytes);
  return { width, height, y, u, v };
}

/** Converts to RGB with the matrix of BT.601. Chroma is not interpolated. */
function toRgb({ width, height, y, u, v }: Planes): Uint8ClampedArray {
  const rgb = new Uint8ClampedArray(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const chroma = (Math.floor(i / width) >> 1) * ((width + 1) >> 1) + ((i % width) >> 1);
    const [cb, cr] = [(u[chroma] ?? 128) - 128, (v[chroma] ?? 128) - 128];
    const luma = y[i] as number;
    rgb.set([luma + 1.402 * cr, luma - 0.344136 * cb - 0.714136 * cr, luma + 1.772 * cb], 3 * i);
  }
  return rgb;
}

/** The mean difference of two lists of levels. */
function meanDifference(one: ArrayLike<number>, other: ArrayLike<number>): number {
  expect(one.length).toBe(other.length);
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += Math.abs((one[i] as number) - (other[i] as number));
  return sum / one.length;
}

const missing = await prepared('gav1');
describe.skipIf(missing)('libgav1', () => {
  it.each(Object.keys(PATHS))('decodes to the pixels that sharp decodes: %s', async (path) => {
    const { body } = await made(path);
    expectPhoneKind(body);
    const items = readAvifItems(body);
    const [picture, alpha] = items?.all ?? [];
    if (!picture) throw new Error('no picture');
    const planes = await decodeWithLibgav1(picture);
    const colours = await sharp(body).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect(planes).toMatchObject({ width: colours.info.width, height: colours.info.height });
    // Chroma is interpolated in different ways.
    expect(meanDifference(toRgb(planes), colours.data)).toBeLessThan(2);
    if (!alpha) return;
    const opacity = await sharp(body).extractChannel('alpha').raw().toBuffer();
    expect(meanDifference((await decodeWithLibgav1(alpha)).y, opacity)).toBeLessThan(0.1);
  });
});

/** What the page does with the URL of an image: draws it on white, and returns its pixels. */
const DRAW = `async (src) => {
  const image = new Image();
  image.src = src;
  await image.decode();
  const [width, height] = [image.naturalWidth, image.naturalHeight];
  const context = new OffscreenCanvas(width, height).getContext('2d');
  context.fillStyle = '#fff';
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0);
  return { width, height, data: [...context.getImageData(0, 0, width, height).data] };
}`;

describePage('Chromium', () => {
  it.each(Object.keys(AVIF_PATHS))('shows the colours that sharp decodes: %s', async (path) => {
    const { body, width, height } = await made(path);
    const page = await openPage();
    const url = `data:image/avif;base64,${Buffer.from(body).toString('base64')}`;
    const shown = (await page.evaluate(`(${DRAW})(${JSON.stringify(url)})`)) as {
      width: number;
      height: number;
      data: number[];
    };
    expect(shown).toMatchObject({ width, height });
    const expected = await sharp(body).flatten({ background: '#fff' }).raw().toBuffer();
    const rgb = shown.data.filter((_, index) => index % 4 < 3);
    // Chromium 156 takes transparency in full range for limited, in any AVIF: 10 of 255 becomes 0, and 200 becomes 214.
    expect(meanDifference(rgb, expected)).toBeLessThan(path.includes('transparency') ? 8 : 1);
  });
});
