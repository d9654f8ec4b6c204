import { FORMATS, type Format, type Tier } from '../protocol/request.ts';
import { isSmall, paletteEncoding } from './candidates.ts';
import { isDrawn } from './content-class.ts';
import { encodeBest } from './encode-best.ts';
import type { Effort } from './encoder.ts';
import { DISPLAYABLE_ENCODINGS, type EncoderSettings } from './encodings.ts';
import { type EncodedBody, originalInFormat, type ServableOriginal, smallerOf } from './servable-original.ts';
import { targetFor } from './source-score.ts';
import type { Still } from './still.ts';
import { fastSettings, TIER_QUALITY } from './tier-quality.ts';

export interface StillRequest {
  tier: Tier;
  format: Format;
  effort: Effort;
  /** A budget in bytes for effort `best`; see `EncodeRequest`. */
  maxBytes?: number | undefined;
}

/** The source of a still, as far as its variants depend on it. */
export interface StillSource {
  /** The size of the source with its metadata, in bytes. */
  bytes: number;
  /** Whether it may be sent at its own size in place of this variant. */
  isNear: boolean;
  /** `undefined` if the source has none, or has too many pixels for this variant. */
  servable: ServableOriginal | undefined;
  /** The score of the source itself; see `estimateSourceScore`. */
  score: number | undefined;
  /** Whether the still has fewer pixels than the source. */
  isResized: boolean;
  /** Returns the source at its full size; `undefined` if it is not kept, has too many pixels for this variant, or is the still itself. */
  fullSize: (() => Promise<Still>) | undefined;
}

/** A request with the score to reach. */
type Goal = StillRequest & { target: number };

/**
 * Returns a still with the fewest bytes for the effort: encoded, its servable original, or all of the original's pixels without loss, if
 * these are no larger.
 */
export async function encodeStill(
  still: Still,
  request: StillRequest,
  source: StillSource,
): Promise<EncodedBody> {
  const { format, effort, tier } = request;
  const goal = { ...request, target: targetFor(TIER_QUALITY[tier].targetScore, source.score) };
  // In `jpeg`, transparency is flattened on white in every encoding, so the original would look different.
  const isFlattened = format === 'jpeg' && !still.isOpaque;
  const servable = isFlattened ? undefined : originalInFormat(source.servable, format);
  const encoded =
    effort === 'best' ? await bestEncoding(still, goal) : await smallestFast(still, goal, source);
  return smallerOf(smallerOf(encoded, await fullSizeChart(format, source)), servable);
}

function bestEncoding(still: Still, goal: Goal): Promise<EncodedBody> {
  return still.withReference(async () => {
    const { settings, body, score } = await encodeBest(still, goal);
    return { ...encodedBody(still, settings, body), score };
  });
}

/** Encodes at a fixed quality, and in second encodings where these are likely to win. */
async function smallestFast(still: Still, goal: Goal, source: StillSource): Promise<EncodedBody> {
  const settings = [
    fastSettings(goal.format, goal.tier, still, goal.target),
    ...(await secondSettings(still, goal, source)),
  ];
  const encoded = await Promise.all(settings.map((one) => encodeWith(still, one)));
  const first = encoded.reduce((least, one) => smallerOf(least, one));
  // If the usual encoding came out larger than the source, another may not. The original wins, where the client displays it.
  const isLarger = first.body.byteLength > source.bytes && !originalInFormat(source.servable, goal.format);
  if (!isLarger) return first;
  const others = otherFormats(still, goal.format).map((format) =>
    fastSettings(format, goal.tier, still, goal.target),
  );
  const rest = await Promise.all(others.map((one) => encodeWith(still, one)));
  return rest.reduce(smallerOf, first);
}

/**
 * Small stills take any encoding a millisecond. Drawings are often smallest in few colours or, where they were neither resized nor
 * compressed before, lossless.
 */
async function secondSettings(
  still: Still,
  { format, tier, target }: Goal,
  { isResized, score }: StillSource,
): Promise<EncoderSettings[]> {
  const drawn = isDrawn(still.contentClass);
  const palette = drawn ? await paletteEncoding(format, still) : undefined;
  const hasArtefacts = score !== undefined;
  const triesLossless = isSmall(still) || (drawn && !hasArtefacts && (!isResized || format === 'jpeg'));
  const others = isSmall(still) ? otherFormats(still, format) : [];
  return [
    ...(palette ? [palette] : []),
    ...(triesLossless ? [losslessIn(format)] : []),
    ...others.map((other) => fastSettings(other, tier, still, target)),
  ];
}

/** Returns the other formats whose encodings the client displays. JPEG would flatten transparency on white. */
function otherFormats({ isOpaque }: Still, format: Format): Format[] {
  const displayed = FORMATS.filter(
    (other) => other !== format && DISPLAYABLE_ENCODINGS[format].includes(other),
  );
  return displayed.filter((other) => isOpaque || other !== 'jpeg');
}

/**
 * Encodes all pixels of a chart without loss: resizing gives a drawing of few colours many, so it may have fewer bytes at its full size.
 *
 * @returns `undefined` if the source is no chart or not at hand
 */
async function fullSizeChart(format: Format, { fullSize }: StillSource): Promise<EncodedBody | undefined> {
  const full = await fullSize?.();
  if (full?.contentClass !== 'chart') return undefined;
  const palette = await paletteEncoding(format, full);
  const isExact = palette && (await full.reduced(palette.palette))?.isExact;
  return { ...(await encodeWith(full, isExact ? palette : losslessIn(format))), score: 100 };
}

function losslessIn(format: Format): EncoderSettings {
  return format === 'jpeg' ? { encoding: 'png', palette: 'none' } : { encoding: 'webp', nearLossless: 100 };
}

async function encodeWith(still: Still, settings: EncoderSettings): Promise<EncodedBody> {
  return encodedBody(still, settings, await still.encode(settings));
}

function encodedBody(
  { width, height }: Still,
  { encoding }: EncoderSettings,
  body: Uint8Array<ArrayBuffer>,
): EncodedBody {
  return { encoding, body, width, height, score: undefined, isOriginal: false };
}
