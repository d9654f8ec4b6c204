import { FORMATS, type Format, type Tier } from '../protocol/request.ts';
import { encodeBest } from './best.ts';
import type { Effort } from './encoder.ts';
import { type Encoding, REACH } from './encodings.ts';
import type { ServableOriginal } from './servable-original.ts';
import type { Still } from './still.ts';
import { fastSetting } from './tier-quality.ts';

export interface StillRequest {
  tier: Tier;
  format: Format;
  effort: Effort;
  maxBytes?: number | undefined;
}

/** What came out. */
export interface EncodedStill {
  encoding: Encoding;
  body: Uint8Array<ArrayBuffer>;
  score: number | undefined;
  isSource: boolean;
}

/** A source of the size that is asked for, to compare with. */
export interface OriginalAtSize {
  bytes: number;
  /** A copy that may be passed on. */
  safe: ServableOriginal | undefined;
}

/**
 * Encodes a still with an effort.
 *
 * @param source - `undefined` where the variant has fewer pixels: then whatever comes out is what was asked for
 */
export async function encodeStill(
  still: Still,
  request: StillRequest,
  source: OriginalAtSize | undefined,
): Promise<EncodedStill> {
  const { format, effort } = request;
  // What is transparent is laid on white in `jpeg`, in whichever encoding.
  const passable = format === 'jpeg' && !still.isOpaque ? undefined : servableInFormat(source, format);
  if (effort === 'best') return smaller(await best(still, request), passable);
  const made = await fast(still, request);
  const isLarger = source && made.body.byteLength > source.bytes;
  return isLarger && !passable ? await smallestFast(still, request, made) : smaller(made, passable);
}

/** A source that the client displays. */
export function servableInFormat(
  source: OriginalAtSize | undefined,
  format: Format,
): EncodedStill | undefined {
  const safe = source?.safe;
  return safe && REACH[format].includes(safe.encoding) ? { ...safe, score: 100, isSource: true } : undefined;
}

/** What was made, unless the source itself is as small. */
export function smaller<T extends Pick<EncodedStill, 'body'>>(
  made: T,
  source: EncodedStill | undefined,
): T | EncodedStill {
  return source && source.body.byteLength <= made.body.byteLength ? source : made;
}

function best(still: Still, request: StillRequest): Promise<EncodedStill> {
  return still.looking(async () => {
    const { setting, body, score } = await encodeBest(still, request);
    return { encoding: setting.encoding, body, score, isSource: false };
  });
}

async function fast(
  still: Still,
  { format, tier }: Pick<StillRequest, 'format' | 'tier'>,
): Promise<EncodedStill> {
  const setting = fastSetting(format, tier, still);
  const body = await still.encode(setting);
  return { encoding: setting.encoding, body, score: undefined, isSource: false };
}

/** Where one encoding is larger than the source, another that the client displays may not be. */
async function smallestFast(
  still: Still,
  { format, tier }: StillRequest,
  made: EncodedStill,
): Promise<EncodedStill> {
  const others = FORMATS.filter((other) => other !== format && REACH[format].includes(other));
  const all = await Promise.all(others.map((other) => fast(still, { format: other, tier })));
  return all.reduce<EncodedStill>(smaller, made);
}
