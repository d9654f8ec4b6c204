import sharp, { type Sharp } from 'sharp';
import type { RgbImage } from '../../../src/encode/metric.ts';
import type { Measurement } from './measure.ts';
import { svg } from './plot.ts';

/** A variant and the original that it was made of. */
export interface Pair {
  measurement: Measurement;
  body: Uint8Array;
  /** 8-bit sRGB, three bytes a pixel. */
  original: RgbImage;
}

const COLUMN = 480;
const ROW = 340;
/** Shown at full size: artefacts disappear when an image is scaled down. */
const CROP = { width: 460, height: 300 };

/** Draws the middle of each original beside that of its variant, as an SVG with PNG images, so that any viewer shows it. */
export async function drawContactSheet(pairs: readonly Pair[]): Promise<string> {
  const rows = await Promise.all(pairs.map(drawRow));
  return svg(2 * COLUMN, pairs.length * ROW, rows);
}

async function drawRow({ measurement, body, original }: Pair, index: number): Promise<string> {
  const shown = await sharp(body).metadata();
  const [width, height] = [Math.min(shown.width, original.width), Math.min(shown.height, original.height)];
  const crop = { width: Math.min(width, CROP.width), height: Math.min(height, CROP.height) };
  const middle = { ...crop, left: (width - crop.width) >> 1, top: (height - crop.height) >> 1 };
  const before = sharp(original.data, {
    raw: { width: original.width, height: original.height, channels: 3 },
  });
  const draw = async (image: Sharp, column: number) => {
    const png = (await image.extract(middle).png().toBuffer()).toString('base64');
    return `<image x="${column * COLUMN + 10}" y="${index * ROW + 30}" width="${crop.width}" height="${crop.height}" href="data:image/png;base64,${png}"/>`;
  };
  const { image, method, format, tier = '', bytes, score } = measurement;
  const caption = `${image}: ${method} ${format} ${tier}, ${bytes} bytes, score ${score.toFixed(1)}`;
  const text = `<text x="10" y="${index * ROW + 20}">${caption.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`;
  return [text, await draw(before, 0), await draw(sharp(body).toColourspace('srgb'), 1)].join('');
}
