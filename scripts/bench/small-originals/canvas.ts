import type { RgbImage } from '../../../src/encode/metric.ts';

/** Red, green and blue, 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

/** A picture that is drawn without smoothing, so that it has the drawn colours only. */
export interface Canvas {
  image: RgbImage;
  rectangle(left: number, top: number, width: number, height: number, colour: Colour): void;
  /** Draws characters of 5 × 7 dots, each `dot` pixels wide and high. The `seed` says which. */
  text(
    at: { left: number; top: number; dot: number },
    characters: number,
    seed: number,
    colour: Colour,
  ): void;
  /** Copies an image into the picture. */
  paste(left: number, top: number, image: RgbImage): void;
}

const DOTS_WIDE = 5;
const DOTS_HIGH = 7;

/** Creates a picture of one colour. What is drawn outside of it is cut off. */
export function createCanvas(width: number, height: number, background: Colour): Canvas {
  const data = new Uint8Array(width * height * 3);
  const set = (x: number, y: number, colour: ArrayLike<number>) => {
    if (x >= 0 && y >= 0 && x < width && y < height) data.set(colour, (y * width + x) * 3);
  };

  function rectangle(left: number, top: number, wide: number, high: number, colour: Colour): void {
    for (let y = top; y < top + high; y++) for (let x = left; x < left + wide; x++) set(x, y, colour);
  }

  rectangle(0, 0, width, height, background);
  return {
    image: { data, width, height },
    rectangle,
    text({ left, top, dot }, characters, seed, colour) {
      for (let i = 0; i < characters; i++) {
        const glyph = Math.floor(random(seed + i) * 26);
        // Words of two to eight letters.
        if (random(seed * 31 + i) < 0.17) continue;
        for (let at = 0; at < DOTS_WIDE * DOTS_HIGH; at++) {
          const [x, y] = [at % DOTS_WIDE, Math.floor(at / DOTS_WIDE)];
          if (!isInk(glyph, x, y)) continue;
          rectangle(left + (i * (DOTS_WIDE + 1) + x) * dot, top + y * dot, dot, dot, colour);
        }
      }
    },
    paste(left, top, image) {
      for (let i = 0; i < image.width * image.height; i++) {
        const pixel = image.data.subarray(i * 3, i * 3 + 3);
        set(left + (i % image.width), top + Math.floor(i / image.width), pixel);
      }
    },
  };
}

/** Letter-like shapes: a stem, a second stem or a bowl, and bars. */
function isInk(glyph: number, x: number, y: number): boolean {
  const isStem = x === 0 || (glyph % 3 === 1 && x === 4) || (glyph % 5 === 2 && x === 2);
  const isBar =
    (glyph % 2 === 0 && y === 0) || (glyph % 4 < 2 && y === 3) || (glyph % 7 > 3 && y === DOTS_HIGH - 1);
  const isDiagonal = glyph % 6 === 5 && x === Math.round((y * 4) / (DOTS_HIGH - 1));
  return isStem || isBar || isDiagonal;
}

/** A number from 0 to below 1 that depends on the seed alone. */
export function random(seed: number): number {
  let state = Math.imul(seed + 1, 0x9e3779b1);
  state = Math.imul(state ^ (state >>> 15), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return ((state ^ (state >>> 16)) >>> 0) / 2 ** 32;
}
