import { FORMATS, type Format, type Tier } from '../protocol/request.ts';
import { encodeBest } from './encode-best.ts';
import type { Effort } from './encoder.ts';
import { DISPLAYABLE_ENCODINGS } from './encodings.ts';
import { type EncodedBody, type OriginalAtSize, originalInFormat, smallerOf } from './servable-original.ts';
import type { Still } from './still.ts';
import { fastSettings } from './tier-quality.ts';

export interface StillRequest {
  tier: Tier;
  format: Format;
  effort: Effort;
  /** A budget in bytes for effort `best`; see `EncodeRequest`. */
  maxBytes?: number | undefined;
}

/**
 * Encodes a still image with the requested effort, or returns its servable original if that is no larger.
 *
 * @param original - `undefined` if the variant has fewer pixels than the source, so that the two cannot be compared
 */
export async function encodeStill(
  still: Still,
  request: StillRequest,
  original: OriginalAtSize | undefined,
): Promise<EncodedBody> {
  const { format, effort } = request;
  // In `jpeg`, transparency is flattened on white in every encoding, so the original would look different.
  const isFlattened = format === 'jpeg' && !still.isOpaque;
  const servable = isFlattened ? undefined : originalInFormat(original, format);
  if (effort === 'best') return smallerOf(await bestEncoding(still, request), servable);
  const fast = await fastEncoding(still, request);
  const isLarger = original && fast.body.byteLength > original.bytes;
  return isLarger && !servable ? await smallestFast(still, request, fast) : smallerOf(fast, servable);
}

function bestEncoding(still: Still, request: StillRequest): Promise<EncodedBody> {
  return still.withReference(async () => {
    const { settings, body, score } = await encodeBest(still, request);
    return { encoding: settings.encoding, body, score, isOriginal: false };
  });
}

async function fastEncoding(
  still: Still,
  { format, tier }: Pick<StillRequest, 'format' | 'tier'>,
): Promise<EncodedBody> {
  const settings = fastSettings(format, tier, still);
  const body = await still.encode(settings);
  return { encoding: settings.encoding, body, score: undefined, isOriginal: false };
}

/** Tries the other encodings that the client displays: if the first came out larger than the source, another may not. */
async function smallestFast(
  still: Still,
  { format, tier }: StillRequest,
  first: EncodedBody,
): Promise<EncodedBody> {
  const others = FORMATS.filter((other) => other !== format && DISPLAYABLE_ENCODINGS[format].includes(other));
  const encoded = await Promise.all(others.map((other) => fastEncoding(still, { format: other, tier })));
  return encoded.reduce(smallerOf, first);
}
