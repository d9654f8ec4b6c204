import sharp from 'sharp';
import { type ContentClass, classifyContent } from './content-class.ts';
import { correctLuma } from './correct-luma.ts';
import type { RunWithPermit } from './encode-semaphore.ts';
import { type EncoderSettings, type PaletteSize, runEncoder, toEncoding } from './encodings.ts';
import type { Metric, Reference } from './metric.ts';
import { flattenPixels, openPixels, type Pixels, readPixels, scoredPart } from './pixels.ts';
import { type ReducedPixels, reduceColours } from './reduce-colours.ts';
import { shareOfSharpColours } from './sharp-colours.ts';

/** One encoding of a still, with its score. */
export interface Candidate {
  settings: EncoderSettings;
  body: Uint8Array<ArrayBuffer>;
  /** SSIMULACRA2 against the pixels that were encoded, both flattened on white. */
  score: number;
}

/** A still image at the size of a variant, with the means to encode and score it. */
export interface Still {
  contentClass: ContentClass;
  width: number;
  height: number;
  isOpaque: boolean;
  /** See `shareOfSharpColours`. */
  sharpColours: number;
  encode(settings: EncoderSettings): Promise<Uint8Array<ArrayBuffer>>;
  /** Returns the still on white, in the colours of a palette; see `reduceColours`. It is computed once for each size. */
  reduced(palette: PaletteSize): Promise<ReducedPixels | undefined>;
  /**
   * Encodes the still and scores the result. Each setting is encoded once for as long as the reference is open.
   *
   * @throws TypeError outside of {@link withReference}
   */
  encodeAndScore(settings: EncoderSettings): Promise<Candidate>;
  /** Keeps the metric's reference open while the work runs. Several may run concurrently and share it. */
  withReference<T>(work: () => Promise<T>): Promise<T>;
}

export interface StillOptions {
  pixels: Pixels;
  metric: Metric;
  runWithPermit: RunWithPermit;
}

/** Creates a still from its pixels, and classifies its content. */
export async function createStill({ pixels, metric, runWithPermit }: StillOptions): Promise<Still> {
  const flattened = await flattenPixels(pixels);
  const candidates = new Map<string, Promise<Candidate>>();
  const palettes = new Map<PaletteSize, Promise<ReducedPixels | undefined>>();
  let corrected: Promise<Pixels> | undefined;
  let reference: Reference | undefined;
  let users = 0;

  /** Runs under the permit of its caller. */
  function reduced(palette: PaletteSize): Promise<ReducedPixels | undefined> {
    const pending = palettes.get(palette) ?? reduceColours(flattened, palette);
    palettes.set(palette, pending);
    return pending;
  }

  /** Returns the pixels to encode with some settings. */
  async function inputFor(settings: EncoderSettings): Promise<Pixels> {
    if (settings.encoding === 'avif' && settings.sharpChroma) {
      corrected ??= correctLuma(pixels);
      return await corrected;
    }
    const palette = 'palette' in settings && settings.palette !== 'none' ? settings.palette : undefined;
    const input = palette ? await reduced(palette) : pixels;
    if (!input) throw new TypeError(`a palette of ${palette} colours does not suit this still`);
    return input;
  }

  async function encode(settings: EncoderSettings): Promise<Uint8Array<ArrayBuffer>> {
    const input = await inputFor(settings);
    const { body } = await runEncoder(toEncoding(openPixels(input), settings), settings.encoding);
    return body;
  }

  async function encodeAndScore(settings: EncoderSettings): Promise<Candidate> {
    if (!reference) throw new TypeError('encodeAndScore is called outside of withReference');
    const body = await encode(settings);
    const decoded = await flattenPixels(await readPixels(sharp(body)));
    return { settings, body, score: await reference.score(scoredPart(decoded)) };
  }

  return {
    contentClass: classifyContent(flattened),
    sharpColours: shareOfSharpColours(flattened),
    width: pixels.width,
    height: pixels.height,
    isOpaque: pixels.channels === 3,
    encode: (settings) => runWithPermit(() => encode(settings)),
    reduced: (palette) => runWithPermit(() => reduced(palette)),
    encodeAndScore(settings) {
      const key = JSON.stringify(settings);
      const candidate = candidates.get(key) ?? runWithPermit(() => encodeAndScore(settings));
      candidates.set(key, candidate);
      return candidate;
    },
    async withReference(work) {
      users++;
      reference ??= metric.open(scoredPart(flattened));
      try {
        return await work();
      } finally {
        if (--users === 0) {
          reference.close();
          reference = undefined;
          candidates.clear();
        }
      }
    },
  };
}
