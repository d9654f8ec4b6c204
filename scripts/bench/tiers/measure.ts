import { readFile } from 'node:fs/promises';
import sharp, { type Sharp } from 'sharp';
import { type EncoderSettings, toEncoding } from '../../../src/encode/encodings.ts';
import { createMetric, type RgbImage } from '../../../src/encode/metric.ts';
import { fastSettings } from '../../../src/encode/tier-quality.ts';
import type { Format } from '../../../src/protocol/request.ts';
import { scoreReachedBy, sum } from '../harness/measurements.ts';

/** The encoders with the settings of a first request, except for the quality; and PIL's JPEG, as the 2017 service made it. */
export const ENCODERS = {
  avif: fastWith('avif'),
  webp: fastWith('webp'),
  mozjpeg: fastWith('jpeg'),
  jpeg: (image: Sharp, quality: number) =>
    image.jpeg({ quality, optimiseCoding: false, chromaSubsampling: '4:2:0' }),
};

function fastWith(format: Format): (image: Sharp, quality: number) => Sharp {
  const settings = fastSettings(format, 'balanced', { contentClass: 'photo', width: 1080, height: 810 });
  return (image, quality) => toEncoding(image, { ...settings, quality } as EncoderSettings);
}

export type EncoderName = keyof typeof ENCODERS;

export interface Setting {
  encoder: EncoderName;
  quality: number;
}

/** The score and size of each image, in the order of the files. */
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
 * Encodes and scores every image at every setting, one after the other. Each image is decoded once and released before the next, so
 * that memory does not grow with the folder.
 *
 * @param width - the maximum width of an image, in pixels
 * @param onImage - called after each image with the number of images that are done
 */
export async function measureAll(
  files: string[],
  width: number,
  settings: Setting[],
  onImage: (done: number) => void,
): Promise<Measured[]> {
  // One thread for each encode, as in the service.
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
    p5: scoreReachedBy(0.95, scores),
    p10: scoreReachedBy(0.9, scores),
    median: scoreReachedBy(0.5, scores),
    bytes: sum(bytes),
  };
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
