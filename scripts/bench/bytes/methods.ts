import sharp, { type Sharp } from 'sharp';
import type { DecodedImage, Effort } from '../../../src/encode/encoder.ts';
import { toEncoding } from '../../../src/encode/encodings.ts';
import { flattenPixels, openPixels, type Pixels, readPixels } from '../../../src/encode/pixels.ts';
import { avifSteps, jpegSteps, type QualitySteps, webpSteps } from '../../../src/encode/quality-steps.ts';
import { TIER_QUALITY } from '../../../src/encode/tier-quality.ts';
import { FORMATS, type Format, TIERS, type Tier } from '../../../src/protocol/request.ts';
import type { CroppedReference } from './cropped-reference.ts';
import { PEERS } from './peers.ts';

/** An image of the folder, at the measured width. */
export interface Subject {
  name: string;
  /** The source, decoded. */
  image: DecodedImage;
  /** The resized source: what variants are compared with. */
  pixels: Pixels;
  original: CroppedReference;
  width: number;
}

/** An encoder with its settings. */
export interface Method {
  name: string;
  format: Format;
  tier?: Tier;
  encode(subject: Subject): Promise<Uint8Array>;
}

export interface MethodOptions {
  efforts: readonly Effort[];
  formats: readonly Format[];
  tiers: readonly Tier[];
  /** Whether to try every quality of an encoding, which takes minutes for each image. */
  optimum: boolean;
}

/** The methods of peers, then our own for each format, tier and effort. */
export function methodsFor({ efforts, formats, tiers, ...options }: MethodOptions): Method[] {
  const ours = FORMATS.filter((format) => formats.includes(format)).flatMap((format) =>
    TIERS.filter((tier) => tiers.includes(tier)).flatMap((tier) => [
      ...efforts.map((effort) => edgepress(format, tier, effort)),
      ...(options.optimum ? [optimum(format, tier)] : []),
    ]),
  );
  const peers = PEERS.filter(({ format }) => formats.includes(format));
  return [
    ...peers.map(({ name, format, encode }) => ({ name, format, encode: peerEncode(encode) })),
    ...ours,
  ];
}

function peerEncode(encode: (image: Sharp) => Sharp): Method['encode'] {
  return ({ pixels }) => encode(openPixels(pixels)).toBuffer();
}

function edgepress(format: Format, tier: Tier, effort: Effort): Method {
  const encode: Method['encode'] = async ({ image, width }) =>
    (await image.encode({ width, tier, format, effort })).body;
  return { name: effort, format, tier, encode };
}

/** Tries every quality with the encoder settings of `best`, and takes the fewest bytes that reach the target. */
function optimum(format: Format, tier: Tier): Method {
  const stepsOf = ({ pixels: { width, height } }: Subject): Record<Format, QualitySteps> => ({
    avif: avifSteps({ contentClass: 'photo', width, height }),
    webp: webpSteps({ contentClass: 'photo' }),
    jpeg: jpegSteps('4:2:0', 'photo'),
  });
  return {
    name: 'optimum',
    format,
    tier,
    encode: (subject) => smallestOf(stepsOf(subject)[format], TIER_QUALITY[tier].targetScore, subject),
  };
}

async function smallestOf(steps: QualitySteps, target: number, subject: Subject): Promise<Uint8Array> {
  let smallest: Buffer | undefined;
  let nearest: { body: Buffer; score: number } | undefined;
  for (const quality of steps.qualities) {
    const body = await toEncoding(openPixels(subject.pixels), steps.settingsAt(quality)).toBuffer();
    const score = await scoreOf(body, subject);
    if (score >= target && (!smallest || body.byteLength < smallest.byteLength)) smallest = body;
    if (!nearest || score > nearest.score) nearest = { body, score };
  }
  return smallest ?? (nearest as { body: Buffer }).body;
}

/** Scores a variant. One that is a column or a row smaller, as AVIF has even sides, is scored against the same part of the original. */
export async function scoreOf(body: Uint8Array, { original }: Subject): Promise<number> {
  const decoded = await flattenPixels(await readPixels(sharp(body)));
  return await original.scoreOf(decoded);
}
