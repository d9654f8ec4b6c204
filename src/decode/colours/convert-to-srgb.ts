import { setImmediate as yieldToEventLoop } from 'node:timers/promises';
import type { Colours, LabColours } from './colours.ts';
import { cmykConverter } from './convert-cmyk.ts';
import { labConverter } from './convert-lab.ts';
import { rgbConverter } from './convert-rgb.ts';

/** Some 20 ms of work: other requests are answered in between. */
const PIXELS_AT_ONCE = 50_000;

/** Pixels in sRGB, 8 bits a channel. */
export interface SrgbPixels {
  data: Uint8Array;
  channels: 3 | 4;
}

/**
 * Converts pixels to sRGB.
 *
 * @param pixels - of the model of the colours, with or without alpha, in 8 or 16 bits a channel. They may be overwritten
 */
export async function convertToSrgb(
  pixels: Uint8Array | Uint16Array,
  channels: number,
  colours: Colours | LabColours,
): Promise<SrgbPixels> {
  const count = pixels.length / channels;
  const outChannels = (colours.model === 'cmyk' ? channels - 1 : channels) as 3 | 4;
  const isInPlace = colours.model === 'rgb' && pixels instanceof Uint8Array;
  const out = isInPlace ? pixels : new Uint8Array(count * outChannels);
  const convert = converterOf(pixels, channels, colours, out);
  for (let first = 0; first < count; first += PIXELS_AT_ONCE) {
    convert(first, Math.min(count, first + PIXELS_AT_ONCE));
    await yieldToEventLoop();
  }
  return { data: out, channels: outChannels };
}

function converterOf(
  pixels: Uint8Array | Uint16Array,
  channels: number,
  colours: Colours | LabColours,
  out: Uint8Array,
): (first: number, end: number) => void {
  switch (colours.model) {
    case 'rgb':
      return rgbConverter(pixels, channels as 3 | 4, colours, out);
    case 'cmyk':
      return cmykConverter(pixels, channels as 4 | 5, colours, out);
    case 'lab':
      return labConverter(pixels, channels as 3 | 4, colours, out);
  }
}
