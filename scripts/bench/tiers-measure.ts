import { readFile } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import { createMetric, type RgbImage } from '../../src/encode/metric.ts';

export const ENCODERS = {
  avif: (image: Sharp, quality: number) => image.avif({ quality, effort: 0, chromaSubsampling: '4:2:0' }),
  avif444: (image: Sharp, quality: number) => image.avif({ quality, effort: 0, chromaSubsampling: '4:4:4' }),
  webp: (image: Sharp, quality: number) => image.webp({ quality, effort: 4 }),
  mozjpeg: (image: Sharp, quality: number) =>
    image.jpeg({ quality, mozjpeg: true, chromaSubsampling: '4:2:0' }),
  // As PIL writes it, which made the images of the 2017 service.
  jpeg: (image: Sharp, quality: number) =>
    image.jpeg({ quality, optimiseCoding: false, chromaSubsampling: '4:2:0' }),
};

export type EncoderName = keyof typeof ENCODERS;

export interface Setting {
  encoder: EncoderName;
  quality: number;
}

/** One value an image, in the order of the files. */
export interface Measured extends Setting {
  scores: number[];
  bytes: number[];
}

export interface Summary extends Setting {
  /** Scores that 95%, 90% and half of the images reach. */
  p5: number;
  p10: number;
  median: number;
  bytes: number;
}

/**
 * Encodes and scores every image at every setting, one after the other. An image is decoded once and forgotten before
 * the next, so that memory does not grow with the folder.
 *
 * @param width - widest that an image is made, in pixels
 * @param onImage - told how many images are done
 */
export async function measureAll(
  files: string[],
  width: number,
  settings: Setting[],
  onImage: (done: number) => void,
): Promise<Measured[]> {
  // One thread an encode, as the service has it.
  sharp.concurrency(1);
  const metric = createMetric(1);
  const results: Measured[] = settings.map((setting) => ({ ...setting, scores: [], bytes: [] }));
  for (const [index, file] of files.entries()) {
    const image = await readResized(file, width);
    const original = metric.open(image);
    for (const result of results) {
      const encoded = await encode(image, result);
      result.scores.push(await original.score(await toRgb(sharp(encoded))));
      result.bytes.push(encoded.length);
    }
    original.close();
    onImage(index + 1);
  }
  return results;
}

export function summarise({ encoder, quality, scores, bytes }: Measured): Summary {
  return {
    encoder,
    quality,
    p5: reachedBy(0.95, scores),
    p10: reachedBy(0.9, scores),
    median: reachedBy(0.5, scores),
    bytes: bytes.reduce((total, size) => total + size, 0),
  };
}

/** @returns the highest score that at least `share` of the images reach: one of the scores, never a value between two */
function reachedBy(share: number, scores: number[]): number {
  const falling = [...scores].sort((a, b) => b - a);
  return falling[Math.ceil(share * falling.length) - 1] ?? Number.NaN;
}

async function readResized(file: string, width: number): Promise<RgbImage> {
  const image = sharp(await readFile(file))
    .autoOrient()
    .resize({ width, withoutEnlargement: true });
  return toRgb(image);
}

async function encode({ data, width, height }: RgbImage, { encoder, quality }: Setting): Promise<Buffer> {
  return ENCODERS[encoder](sharp(data, { raw: { width, height, channels: 3 } }), quality).toBuffer();
}

async function toRgb(image: Sharp): Promise<RgbImage> {
  const { data, info } = await image
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`expected RGB, got ${info.channels} channels`);
  return { data, width: info.width, height: info.height };
}
