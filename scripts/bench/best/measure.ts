import sharp from 'sharp';
import {
  losslessEncodings,
  lossyEncodings,
  paletteEncoding,
  smallestThatReaches,
} from '../../../src/encode/candidates.ts';
import type { ContentClass } from '../../../src/encode/content-class.ts';
import { encodeBest } from '../../../src/encode/encode-best.ts';
import { type EncoderSettings, flattenOnWhite, variantSize } from '../../../src/encode/encodings.ts';
import type { Metric } from '../../../src/encode/metric.ts';
import { type Pixels, readPixels, resizeAndCrop } from '../../../src/encode/pixels.ts';
import { type Candidate, createStill, type Still } from '../../../src/encode/still.ts';
import { TIER_QUALITY } from '../../../src/encode/tier-quality.ts';
import type { Format, Tier } from '../../../src/protocol/request.ts';

/** What `best` did for one variant of a picture, or for several that share a still, next to one final encode of each answer. */
export interface BestMeasurement {
  name: string;
  contentClass: ContentClass;
  /** CPU time in milliseconds: of `best` with its drafts and scores, and of encoding the answers once, with what they are. */
  cpuMs: number;
  finalMs: number;
  drafts: number;
  finals: number;
  answers: Answer[];
}

export interface Answer {
  format: Format;
  tier: Tier;
  bytes: number;
  score: number;
  /** By trying every quality of every encoding, if that was asked for. */
  optimum?: { bytes: number; score: number };
}

export type Spec = Pick<Answer, 'format' | 'tier'>;

/** From this effort on, an encode can be an answer; those of less effort are drafts. */
const FINAL_EFFORT = { avif: 3, webp: 6, jpeg: 2 } as const;

/** Returns the pixels of a variant, opaque and of even sides, so that all formats can share a still. */
export async function variantPixels(source: Uint8Array, width: number): Promise<Pixels> {
  const image = flattenOnWhite(sharp(source).autoOrient());
  const { info } = await image
    .clone()
    .resize({ width, withoutEnlargement: true })
    .toBuffer({ resolveWithObject: true });
  return await readPixels(resizeAndCrop(image, info, variantSize(info, 'avif')));
}

/** Makes variants with effort `best` that share a still, as prewarm does, and measures it. */
export async function measureBest(
  name: string,
  pixels: Pixels,
  metric: Metric,
  specs: readonly Spec[],
): Promise<BestMeasurement> {
  const still = await newStill(pixels, metric);
  const encoded: EncoderSettings[] = [];
  const counted = countEncodes(still, encoded);
  const [cpuMs, candidates] = await cpuMsOf(() =>
    counted.withReference(() => Promise.all(specs.map((spec) => encodeBest(counted, goalOf(spec))))),
  );
  const fresh = await newStill(pixels, metric);
  const [finalMs] = await cpuMsOf(async () => {
    for (const { settings } of candidates) await fresh.encode(settings);
  });
  const finals = encoded.filter(isFinal).length;
  const answers = candidates.map(
    ({ body, score }, index): Answer => ({ ...(specs[index] as Spec), bytes: body.byteLength, score }),
  );
  const { contentClass } = still;
  return { name, contentClass, cpuMs, finalMs, drafts: encoded.length - finals, finals, answers };
}

/** Adds to answers what trying every quality of every encoding finds. */
export async function addOptima(pixels: Pixels, metric: Metric, answers: readonly Answer[]): Promise<void> {
  const still = await newStill(pixels, metric);
  // What was tried for one answer is known for the others.
  await still.withReference(async () => {
    for (const answer of answers) {
      const { body, score } = await optimumOf(still, answer);
      answer.optimum = { bytes: body.byteLength, score };
    }
  });
}

/** Returns the candidate with the fewest bytes that reaches the target of the tier, or with the highest score. */
async function optimumOf(still: Still, { format, tier }: Spec): Promise<Candidate> {
  const target = TIER_QUALITY[tier].targetScore;
  const palette = await paletteEncoding(format, still);
  const { likely, rest } = lossyEncodings(format, still);
  const lossy = [...likely, ...rest].flatMap(({ qualities, floor, settingsAt }) =>
    qualities.filter((quality) => quality >= floor[still.contentClass]).map(settingsAt),
  );
  const candidates: Candidate[] = [];
  for (const settings of [...(palette ? [palette] : []), ...losslessEncodings(format, still), ...lossy])
    candidates.push(await still.encodeAndScore(settings));
  return smallestThatReaches(candidates, target);
}

function newStill(pixels: Pixels, metric: Metric): Promise<Still> {
  return createStill({ pixels, metric, runWithPermit: (work) => work() });
}

function goalOf({ format, tier }: Spec) {
  return { format, tier, target: TIER_QUALITY[tier].targetScore };
}

/** @param encoded - collects the settings of encodes; one that is known to the still is counted once */
function countEncodes(still: Still, encoded: EncoderSettings[]): Still {
  const known = new Set<string>();
  const count = (settings: EncoderSettings) => {
    const key = JSON.stringify(settings);
    if (!known.has(key)) encoded.push(settings);
    known.add(key);
  };
  return {
    ...still,
    encode: (settings) => {
      count(settings);
      return still.encode(settings);
    },
    encodeAndScore: (settings) => {
      count(settings);
      return still.encodeAndScore(settings);
    },
  };
}

function isFinal(settings: EncoderSettings): boolean {
  return !('effort' in settings) || settings.effort >= FINAL_EFFORT[settings.encoding];
}

/** Returns the CPU time of all threads of the process, in milliseconds, and the result. */
async function cpuMsOf<T>(work: () => Promise<T>): Promise<[cpuMs: number, result: T]> {
  const before = process.cpuUsage();
  const result = await work();
  const { user, system } = process.cpuUsage(before);
  return [(user + system) / 1000, result];
}
