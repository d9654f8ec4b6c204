import { type ContentClass, isDrawn } from './content-class.ts';
import type { EncoderSettings } from './encodings.ts';
import { QUALITY_MODELS, type QualityModel } from './quality-model.ts';
import { needsSharpChroma } from './sharp-colours.ts';
import type { StillTraits } from './tier-quality.ts';

/** A lossy encoding as effort `best` uses it. Its encoder qualities have positions on a scale on which scores rise evenly. */
export interface QualitySteps {
  /** Encoder qualities, in rising order. */
  qualities: readonly number[];
  /** Where the qualities are, in the same order. */
  positions: readonly number[];
  settingsAt(quality: number): EncoderSettings;
  /** Faster settings: their scores and bytes tell at which quality the real ones reach a target; see `predictPosition`. */
  draftAt(quality: number): EncoderSettings;
  model: QualityModel;
  /** By how many points an encode is aimed above the target, so that nine in ten reach it although predictions are off. */
  aim: number;
  /** The lowest quality by content class, whatever the score: it keeps small print legible. */
  floor: Readonly<Record<ContentClass, number>>;
  /**
   * Returns settings between two qualities, for encodings whose qualities are far apart.
   *
   * @param quality - the upper quality
   * @param distance - how far below it, in positions, from 0 to 1
   */
  between?(quality: number, distance: number): EncoderSettings;
}

/** Up to this size, an encode at effort 4 takes at most some three seconds. */
const MAX_EFFORT_4_PIXELS = 1_500_000;

/**
 * AVIF has 64 levels, each 6% of bytes apart; these are the qualities that libheif maps to different levels, and their positions are the
 * levels. Levels above the last one are larger than lossless WebP.
 *
 * Effort 3 needs 8% fewer bytes than effort 1. Effort 4 takes four times as long as effort 3, and needs 5 to 8% fewer bytes for letters and
 * lines, but only 1 to 4% for photographs.
 */
export function avifSteps(still: StillTraits): QualitySteps {
  const { contentClass, width, height } = still;
  const sharpChroma = needsSharpChroma(still.sharpColours);
  const isWorthEffort4 = contentClass !== 'photo' && width * height <= MAX_EFFORT_4_PIXELS;
  return {
    qualities: AVIF_QUALITIES,
    positions: AVIF_QUALITIES.map((_, index) => index),
    floor: { photo: 28, print: 45, drawing: 45, chart: 45 },
    ...(isWorthEffort4 ? avifAtEffort4(sharpChroma) : avifAtEffort3(sharpChroma)),
  };
}

const AVIF_QUALITIES = distinctAvifQualities(24, 94);

type StepsOfEffort = Pick<QualitySteps, 'settingsAt' | 'draftAt' | 'between' | 'model' | 'aim'>;

function avifAtEffort3(sharpChroma: boolean): StepsOfEffort {
  return {
    settingsAt: (quality) => ({ encoding: 'avif', quality, effort: 3, sharpChroma }),
    draftAt: (quality) => ({ encoding: 'avif', quality, effort: 0, sharpChroma }),
    model: QUALITY_MODELS.avif,
    aim: 0.8,
    between: (quality, distance) => {
      const soften = SOFTENINGS.find(({ from }) => distance >= from)?.weight;
      return { encoding: 'avif', quality, effort: 3, sharpChroma, ...(soften && { soften }) };
    },
  };
}

function avifAtEffort4(sharpChroma: boolean): StepsOfEffort {
  return {
    settingsAt: (quality) => ({ encoding: 'avif', quality, effort: 4, sharpChroma }),
    // Of letters and lines, effort 0 predicts the result three levels too high.
    draftAt: (quality) => ({ encoding: 'avif', quality, effort: 2, sharpChroma }),
    model: QUALITY_MODELS.avifLetters,
    aim: 0.9,
  };
}

/**
 * Softening an image a little before it is encoded saves as many bytes per point of score as a lower quality does, within half a percent,
 * and can be applied in any amount. Each entry has a distance from the step, and a weight that costs less than that.
 */
const SOFTENINGS = [
  { from: 0.85, weight: 0.03 },
  { from: 0.68, weight: 0.02 },
  { from: 0.5, weight: 0.01 },
] as const;

/**
 * Effort 6 needs 3 to 5% fewer bytes than effort 4, sharp's default, for twice the time; preset `picture` needs 1 to 2% fewer at an equal
 * score, though scores vary more.
 */
export function webpSteps({
  contentClass,
  sharpColours,
}: Omit<StillTraits, 'width' | 'height'>): QualitySteps {
  // Without it, halved colour resolution blurs the edges of coloured letters. Other photographs only get larger.
  const sharpChroma = isDrawn(contentClass) || needsSharpChroma(sharpColours);
  return {
    qualities: WEBP_QUALITIES,
    positions: WEBP_QUALITIES.map(webpPosition),
    settingsAt: (quality) => ({ encoding: 'webp', quality, effort: 6, sharpChroma, preset: 'picture' }),
    draftAt: (quality) => ({ encoding: 'webp', quality, effort: 2, sharpChroma, preset: 'picture' }),
    model: contentClass === 'photo' ? QUALITY_MODELS.webp : QUALITY_MODELS.webpLetters,
    aim: 0.7,
    floor: { photo: 30, print: 55, drawing: 55, chart: 55 },
  };
}

/** Klein's table needs 7% fewer bytes than mozjpeg's default at a score of 70 and 2% at 80, though scores vary more. */
export function jpegSteps(chroma: '4:2:0' | '4:4:4', contentClass: ContentClass): QualitySteps {
  const models = contentClass === 'photo' ? PHOTO_JPEG_MODELS : LETTERS_JPEG_MODELS;
  return {
    qualities: JPEG_QUALITIES,
    positions: JPEG_QUALITIES.map(jpegPosition),
    settingsAt: (quality) => ({ encoding: 'jpeg', quality, chroma, table: 'klein', effort: 2 }),
    draftAt: (quality) => ({ encoding: 'jpeg', quality, chroma, table: 'klein', effort: 0 }),
    model: models[chroma],
    aim: 0.7,
    floor: { photo: 30, print: 55, drawing: 55, chart: 55 },
  };
}

const PHOTO_JPEG_MODELS = { '4:2:0': QUALITY_MODELS.jpeg, '4:4:4': QUALITY_MODELS.jpeg444 };
const LETTERS_JPEG_MODELS = { '4:2:0': QUALITY_MODELS.jpegLetters, '4:4:4': QUALITY_MODELS.jpeg444 };

const WEBP_QUALITIES = wholeQualities(20, 98);
const JPEG_QUALITIES = wholeQualities(20, 96);

/** How many positions a quantiser that is larger by a factor of e is away. */
const POSITIONS_PER_E = 20;

/**
 * The logarithm of the quantiser of WebP: libwebp (`QualityToCompression` in `src/enc/quant_enc.c`) maps qualities to indices of its table
 * of quantisers by a cube root with a bend at 75, and the table rises by 1 with each index for qualities of 30 and more.
 */
function webpPosition(quality: number): number {
  const share = quality / 100;
  const linear = share < 0.75 ? (share * 2) / 3 : 2 * share - 1;
  return -POSITIONS_PER_E * Math.log(127 * (1 - Math.cbrt(linear)) + 4);
}

/** The logarithm of the scale of JPEG's quantisation tables: `jpeg_quality_scaling` of libjpeg. */
function jpegPosition(quality: number): number {
  return -POSITIONS_PER_E * Math.log(quality < 50 ? 5000 / quality : 200 - 2 * quality);
}

function wholeQualities(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

function distinctAvifQualities(from: number, to: number): number[] {
  const level = (quality: number) => Math.floor(((100 - quality) * 63 + 50) / 100);
  return wholeQualities(from, to).filter((quality) => level(quality) !== level(quality - 1));
}
