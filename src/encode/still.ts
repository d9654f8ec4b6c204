import { FORMATS, type Format, type Tier } from '../variant/request.ts';
import { encodeBest } from './best.ts';
import type { Effort } from './encoder.ts';
import { type Encoding, REACH } from './encodings.ts';
import type { SafeSource } from './safe-copy.ts';
import type { Sitter } from './sitter.ts';
import { fastSetting } from './tiers.ts';

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
export interface AtHand {
  bytes: number;
  /** A copy that may be passed on. */
  safe: SafeSource | undefined;
}

/**
 * Encodes a still with an effort.
 *
 * @param source - `undefined` where the variant has fewer pixels: then whatever comes out is what was asked for
 */
export async function encodeStill(
  sitter: Sitter,
  request: StillRequest,
  source: AtHand | undefined,
): Promise<EncodedStill> {
  const { format, effort } = request;
  // What is transparent is laid on white in `jpeg`, in whichever encoding.
  const passable = format === 'jpeg' && !sitter.isOpaque ? undefined : passableSource(source, format);
  if (effort === 'best') return smaller(await best(sitter, request), passable);
  const made = await fast(sitter, request);
  const isLarger = source && made.body.byteLength > source.bytes;
  return isLarger && !passable ? await smallestFast(sitter, request, made) : smaller(made, passable);
}

/** A source that the client displays. */
export function passableSource(source: AtHand | undefined, format: Format): EncodedStill | undefined {
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

function best(sitter: Sitter, request: StillRequest): Promise<EncodedStill> {
  return sitter.looking(async () => {
    const { setting, body, score } = await encodeBest(sitter, request);
    return { encoding: setting.encoding, body, score, isSource: false };
  });
}

async function fast(
  sitter: Sitter,
  { format, tier }: Pick<StillRequest, 'format' | 'tier'>,
): Promise<EncodedStill> {
  const setting = fastSetting(format, tier, sitter);
  const body = await sitter.encode(setting);
  return { encoding: setting.encoding, body, score: undefined, isSource: false };
}

/** Where one encoding is larger than the source, another that the client displays may not be. */
async function smallestFast(
  sitter: Sitter,
  { format, tier }: StillRequest,
  made: EncodedStill,
): Promise<EncodedStill> {
  const others = FORMATS.filter((other) => other !== format && REACH[format].includes(other));
  const all = await Promise.all(others.map((other) => fast(sitter, { format: other, tier })));
  return all.reduce<EncodedStill>(smaller, made);
}
