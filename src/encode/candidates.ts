import type { Format } from '../protocol/request.ts';
import { isDrawn } from './content-class.ts';
import type { EncoderSettings, PaletteSettings, PaletteSize } from './encodings.ts';
import { avifSteps, jpegSteps, type QualitySteps, webpSteps } from './quality-steps.ts';
import { needsSharpChroma } from './sharp-colours.ts';
import type { Candidate, Still } from './still.ts';
import { LOWEST_TIER, TIER_QUALITY } from './tier-quality.ts';

// Which encodings can win, by what is known of a still, and which of them does.

/** Up to this size, headers weigh so much that any encoding may be the smallest, and every one is quick to try. */
const MAX_SMALL_PIXELS = 128 * 128;

/** Whether a still is so small that any encoding may win. */
export function isSmall({ width, height }: Pick<Still, 'width' | 'height'>): boolean {
  return width * height <= MAX_SMALL_PIXELS;
}

/** The lossy encodings of a format for a still. */
export interface LossyEncodings {
  /** Those that may need the fewest bytes, the usual winner first. */
  likely: readonly QualitySteps[];
  /** Those that are worth a try only if nothing else reaches the target. */
  rest: readonly QualitySteps[];
}

/**
 * From this share of sharp colours on, JPEG in 4:4:4 may have fewer bytes than in 4:2:0 at an equal score: below it, trying both would save
 * 0.1% of the bytes of letters and drawings, and 0.2% of those of photographs.
 */
const FULL_CHROMA_WINS_FROM = { photo: 0.03, letters: 0.003 };

/**
 * Returns the lossy encodings of effort `best`. AVIF alone wins for photographs: it needs 0.85 of the bytes of WebP and JPEG at an equal
 * score even for those that were compressed hard before.
 */
export function lossyEncodings(format: Format, still: Still): LossyEncodings {
  const { contentClass, isOpaque } = still;
  const isPhoto = contentClass === 'photo';
  const webp = webpSteps(still);
  const jpegs = jpegEncodings(still);
  switch (format) {
    case 'avif':
      return { likely: isPhoto && !isSmall(still) ? [avifSteps(still)] : [avifSteps(still), webp], rest: [] };
    case 'webp':
      // JPEG would flatten transparency on white, and three in a hundred prints and drawings have fewer bytes as JPEG.
      return isOpaque && (isPhoto || isSmall(still))
        ? { ...jpegs, likely: [webp, ...jpegs.likely] }
        : { likely: [webp], rest: [] };
    case 'jpeg':
      return jpegs;
  }
}

function jpegEncodings({ contentClass, sharpColours }: Still): LossyEncodings {
  const isPhoto = contentClass === 'photo';
  const soft = jpegSteps('4:2:0', contentClass);
  // Photographs without sharp colours gain nothing from 4:4:4.
  if (isPhoto && !needsSharpChroma(sharpColours)) return { likely: [soft], rest: [] };
  const full = jpegSteps('4:4:4', contentClass);
  const mayWin = sharpColours >= (isPhoto ? FULL_CHROMA_WINS_FROM.photo : FULL_CHROMA_WINS_FROM.letters);
  return mayWin ? { likely: [soft, full], rest: [] } : { likely: [soft], rest: [full] };
}

/** Near-lossless levels of WebP and lossless, the smallest first as a rule. */
const LOSSLESS_WEBP: readonly EncoderSettings[] = [20, 60, 100].map((nearLossless) => ({
  encoding: 'webp',
  nearLossless,
}));
const LOSSLESS_PNG: readonly EncoderSettings[] = [{ encoding: 'png', palette: 'none' }];

/** Returns the lossless and near-lossless encodings that may win, the smallest first as a rule. */
export function losslessEncodings(format: Format, still: Still): readonly EncoderSettings[] {
  if (!isDrawn(still.contentClass) && !isSmall(still)) return [];
  return format === 'jpeg' ? LOSSLESS_PNG : LOSSLESS_WEBP;
}

/**
 * Returns the encoding with the smallest palette that holds the colours of a drawing. Lossless encodings of 16 colours win wherever a
 * drawing of few colours was resized: at an equal score, they need half of the bytes of AVIF and a tenth of those of JPEG.
 *
 * @returns `undefined` if there are too many colours
 */
export async function paletteEncoding(format: Format, still: Still): Promise<PaletteSettings | undefined> {
  const isCandidate = still.contentClass !== 'photo' || isSmall(still);
  // Palettes are made of the picture as it looks on white.
  if (!isCandidate || (format !== 'jpeg' && !still.isOpaque)) return undefined;
  const encoding = format === 'jpeg' ? 'png' : 'webp';
  // WebP has better means for more colours.
  const sizes: readonly PaletteSize[] = encoding === 'png' && isDrawn(still.contentClass) ? [16, 256] : [16];
  for (const palette of sizes) {
    if (await still.reduced(palette)) return { encoding, palette };
  }
  return undefined;
}

/** A score that is lower than the target by no more is not worth another encode. With the aims of `QualitySteps`, nine in ten reach the target. */
const TOLERANCE = 0.2;

/** Whether the score of a candidate is the target, as far as that is worth an encode. */
export function reaches({ score }: Candidate, target: number): boolean {
  return score >= target - TOLERANCE;
}

/** Returns the candidate with the highest score if none reaches the target. */
export function smallestThatReaches(candidates: readonly Candidate[], target: number): Candidate {
  const reaching = candidates.filter((one) => reaches(one, target));
  if (reaching.length === 0) return candidates.reduce(higherScore);
  return reaching.reduce((least, one) => (one.body.byteLength < least.body.byteLength ? one : least));
}

/** Returns the candidate with the highest score within the budget; if there is none, the smallest that reaches the target of the lowest tier. */
export function bestWithinBudget(candidates: readonly Candidate[], maxBytes: number): Candidate {
  const within = candidates.filter(
    (one) => one.body.byteLength <= maxBytes && reaches(one, TIER_QUALITY[LOWEST_TIER].targetScore),
  );
  return within.length > 0
    ? within.reduce(higherScore)
    : smallestThatReaches(candidates, TIER_QUALITY[LOWEST_TIER].targetScore);
}

export function higherScore<C extends Candidate>(one: C, other: C): C {
  return other.score > one.score ? other : one;
}
