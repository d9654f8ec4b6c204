import sharp from 'sharp';
import { type ContentClass, classifyContent } from './content-class.ts';
import { DECODE_TIMEOUT_SECONDS } from './decode-failure.ts';
import type { RunWithPermit } from './encode-semaphore.ts';
import { type Setting, toEncoding } from './encodings.ts';
import type { Metric, Original } from './metric.ts';
import { onWhite, openPixels, type Pixels, readPixels, scored } from './pixels.ts';

/** One encode of a still, looked at. */
export interface Trial {
  setting: Setting;
  body: Uint8Array<ArrayBuffer>;
  /** SSIMULACRA2 against the pixels that it was made of, both on white. */
  score: number;
}

/** A still at the size of a variant, and the means to encode it and look at what comes out. */
export interface Still {
  contentClass: ContentClass;
  width: number;
  height: number;
  isOpaque: boolean;
  encode(setting: Setting): Promise<Uint8Array<ArrayBuffer>>;
  /** Encodes and scores: the same setting once, while {@link looking}. */
  try(setting: Setting): Promise<Trial>;
  /** Keeps what it takes to look until the work is done. */
  looking<T>(work: () => Promise<T>): Promise<T>;
}

export interface StillOptions {
  pixels: Pixels;
  metric: Metric;
  runWithPermit: RunWithPermit;
}

export async function createStill({ pixels, metric, runWithPermit }: StillOptions): Promise<Still> {
  const white = await onWhite(pixels);
  const trials = new Map<string, Promise<Trial>>();
  let original: Original | undefined;
  let lookers = 0;

  async function encode(setting: Setting): Promise<Uint8Array<ArrayBuffer>> {
    const image = toEncoding(openPixels(pixels), setting).timeout({ seconds: DECODE_TIMEOUT_SECONDS });
    return (await image.toBuffer()) as Buffer<ArrayBuffer>;
  }

  async function look(setting: Setting): Promise<Trial> {
    if (!original) throw new TypeError('nobody is looking');
    const body = await encode(setting);
    const candidate = await onWhite(await readPixels(sharp(body)));
    return { setting, body, score: await original.score(scored(candidate)) };
  }

  return {
    contentClass: classifyContent(white),
    width: pixels.width,
    height: pixels.height,
    isOpaque: pixels.channels === 3,
    encode: (setting) => runWithPermit(() => encode(setting)),
    try(setting) {
      const key = JSON.stringify(setting);
      const trial = trials.get(key) ?? runWithPermit(() => look(setting));
      trials.set(key, trial);
      return trial;
    },
    async looking(work) {
      lookers++;
      original ??= metric.open(scored(white));
      try {
        return await work();
      } finally {
        if (--lookers === 0) {
          original.close();
          original = undefined;
          trials.clear();
        }
      }
    },
  };
}
