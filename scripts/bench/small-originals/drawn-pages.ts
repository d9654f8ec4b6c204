import type { RgbImage } from '../../../src/encode/metric.ts';
import { type Canvas, type Colour, createCanvas, random } from './canvas.ts';

const WHITE: Colour = [255, 255, 255];
const BLACK: Colour = [0, 0, 0];
const GREY: Colour = [225, 228, 232];
const BLUE: Colour = [32, 90, 170];

/** A form to fill in, in four colours. */
export function drawForm(width: number, height: number): RgbImage {
  const canvas = createCanvas(width, height, WHITE);
  canvas.rectangle(0, 0, width, 70, BLUE);
  canvas.text({ left: 30, top: 20, dot: 4 }, 18, 3, WHITE);
  for (let row = 0; 110 + row * 84 < height - 84; row++) {
    const top = 110 + row * 84;
    canvas.text({ left: 30, top, dot: 2 }, 14 + Math.floor(random(row) * 20), row * 100, BLACK);
    canvas.rectangle(30, top + 24, width - 60, 40, BLUE);
    canvas.rectangle(32, top + 26, width - 64, 36, GREY);
  }
  return canvas.image;
}

/** A form that was filled in by hand and scanned: grey, uneven light, grain. */
export function drawScan(width: number, height: number): RgbImage {
  const form = drawForm(width, height);
  const data = form.data.map((_, index) => {
    const at = index - (index % 3);
    const pixel = (at / 3) | 0;
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    const [r = 0, g = 0, b = 0] = form.data.subarray(at, at + 3);
    const luma = 0.3 * r + 0.59 * g + 0.11 * b;
    return Math.max(
      0,
      Math.min(255, 20 + luma * (0.88 - 0.12 * (x / width)) + 8 * (random(pixel) - 0.5) + y / height),
    );
  });
  return { data, width, height };
}

/** A bar chart in six colours. */
export function drawChart(width: number, height: number): RgbImage {
  const canvas = createCanvas(width, height, WHITE);
  const colours: Colour[] = [BLUE, [220, 120, 40], [60, 160, 80], [170, 60, 120]];
  canvas.text({ left: 40, top: 24, dot: 3 }, 24, 7, BLACK);
  for (let line = 0; line < 6; line++)
    canvas.rectangle(60, 90 + (line * (height - 160)) / 6, width - 90, 1, GREY);
  const bars = 16;
  for (let bar = 0; bar < bars; bar++) {
    const wide = Math.floor((width - 120) / bars);
    const high = Math.floor((height - 180) * (0.2 + 0.8 * random(bar)));
    canvas.rectangle(70 + bar * wide, height - 60 - high, wide - 10, high, colours[bar % 4] as Colour);
    canvas.text({ left: 70 + bar * wide, top: height - 46, dot: 2 }, 3, bar * 11, BLACK);
  }
  return canvas.image;
}

/**
 * A screenshot of a chat: a header, bubbles with text, and photographs that were sent.
 *
 * @param photos - each at most 600 pixels wide
 */
export function drawChat(width: number, height: number, photos: readonly RgbImage[]): RgbImage {
  const canvas = createCanvas(width, height, [236, 229, 221]);
  canvas.rectangle(0, 0, width, 130, [7, 94, 84]);
  canvas.text({ left: 150, top: 50, dot: 5 }, 14, 5, WHITE);
  let top = 170;
  for (let message = 0; top < height; message++) {
    const isOwn = message % 3 === 1;
    const photo = message % 4 === 2 ? photos[(message >> 2) % Math.max(1, photos.length)] : undefined;
    top += drawBubble(canvas, { top, isOwn, seed: message, photo }) + 30;
  }
  return canvas.image;
}

interface Bubble {
  top: number;
  isOwn: boolean;
  seed: number;
  photo: RgbImage | undefined;
}

/** @returns the height of the bubble */
function drawBubble(canvas: Canvas, { top, isOwn, seed, photo }: Bubble): number {
  const lines = 1 + Math.floor(random(seed) * 4);
  const characters = 26;
  const wide = photo ? photo.width + 24 : characters * 18 + 48;
  const high = (photo ? photo.height + 24 : 0) + lines * 36 + 40;
  const left = isOwn ? canvas.image.width - wide - 30 : 30;
  canvas.rectangle(left, top, wide, high, isOwn ? [220, 248, 198] : WHITE);
  if (photo) canvas.paste(left + 12, top + 12, photo);
  const textTop = top + (photo ? photo.height + 36 : 20);
  for (let line = 0; line < lines; line++) {
    const length = Math.floor(characters * (0.5 + 0.5 * random(seed * 7 + line)));
    canvas.text(
      { left: left + 24, top: textTop + line * 36, dot: 3 },
      length,
      seed * 50 + line,
      [48, 48, 48],
    );
  }
  return high;
}
