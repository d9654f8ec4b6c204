import sharp from 'sharp';
import { lossyEncodings } from '../../src/encode/candidates.ts';
import { type EncoderSettings, flattenOnWhite } from '../../src/encode/encodings.ts';
import { createMetric } from '../../src/encode/metric.ts';
import { readPixels } from '../../src/encode/pixels.ts';
import type { DraftedStill } from '../../src/encode/predict-quality.ts';
import { QUALITY_MODELS } from '../../src/encode/quality-model.ts';
import type { QualitySteps } from '../../src/encode/quality-steps.ts';
import { createStill, type Still } from '../../src/encode/still.ts';
import { TIER_QUALITY } from '../../src/encode/tier-quality.ts';
import { FORMATS } from '../../src/protocol/request.ts';

/** An encode at some quality. */
export interface Trial {
  position: number;
  bytes: number;
  score: number;
}

/** A picture in one encoding. */
export interface Measured extends DraftedStill {
  picture: string;
  /** A key of `QUALITY_MODELS`. */
  model: string;
  drafts: Trial[];
  /** At least one near the target of each tier that can be reached. */
  finals: Trial[];
}

/** The scores that tiers promise, and what predictions are fitted for. */
export const TARGETS = Object.values(TIER_QUALITY).map(({ targetScore }) => targetScore);

/** Qualities of drafts, from those that suit the lowest tier to those that suit the highest. */
const DRAFT_QUALITIES = { avif: [46, 56, 71], webp: [48, 58, 72, 85], jpeg: [34, 46, 64, 83] };
/** A final encode that is so near to a target, in points of score, tells where the target is reached. */
const NEAR = 1;
const MAX_TRIALS = 3;

/** Measures a picture in each lossy encoding that `best` may try. */
export async function measurePicture(name: string, source: Uint8Array, width: number): Promise<Measured[]> {
  const resized = sharp(source).autoOrient().resize({ width, withoutEnlargement: true });
  const pixels = await readPixels(flattenOnWhite(resized));
  const still = await createStill({ pixels, metric, runWithPermit: (work) => work() });
  const encodings = new Map<string, QualitySteps>();
  for (const { likely, rest } of FORMATS.map((format) => lossyEncodings(format, still)))
    for (const steps of [...likely, ...rest]) encodings.set(nameOf(steps), steps);
  return await still.withReference(async () => {
    const measured: Measured[] = [];
    for (const [model, steps] of encodings) {
      const drafts = await draftsOf(still, steps);
      const finals = await finalsOf(still, steps, drafts);
      const { height, sharpColours } = still;
      measured.push({ picture: name, model, width: still.width, height, sharpColours, drafts, finals });
    }
    return measured;
  });
}

const metric = createMetric(1);

function nameOf({ model }: QualitySteps): string {
  return Object.entries(QUALITY_MODELS).find(([, one]) => one === model)?.[0] as string;
}

async function draftsOf(still: Still, steps: QualitySteps): Promise<Trial[]> {
  const { encoding } = steps.draftAt(steps.qualities[0] as number);
  const drafts: Trial[] = [];
  for (const quality of DRAFT_QUALITIES[encoding as keyof typeof DRAFT_QUALITIES])
    drafts.push(await trial(still, steps, indexOf(steps, quality), steps.draftAt(quality)));
  return drafts;
}

/** Encodes near each target, starting from the drafts. */
async function finalsOf(still: Still, steps: QualitySteps, drafts: readonly Trial[]): Promise<Trial[]> {
  const finals: Trial[] = [];
  for (const target of TARGETS) {
    for (let trials = 0; trials < MAX_TRIALS; trials++) {
      const nearest = nearestTo(target, finals.length > 0 ? finals : drafts);
      if (finals.includes(nearest) && Math.abs(nearest.score - target) < NEAR) break;
      const position = nearest.position + (target - nearest.score) * steps.model.positionsPerPoint;
      const index = nearestIndex(steps.positions, position);
      if (finals.some((one) => one.position === steps.positions[index])) break;
      finals.push(await trial(still, steps, index, steps.settingsAt(steps.qualities[index] as number)));
    }
  }
  return finals;
}

async function trial(
  still: Still,
  { positions }: QualitySteps,
  index: number,
  settings: EncoderSettings,
): Promise<Trial> {
  const { body, score } = await still.encodeAndScore(settings);
  return { position: positions[index] as number, bytes: body.byteLength, score };
}

function nearestTo(target: number, trials: readonly Trial[]): Trial {
  return trials.reduce((best, one) =>
    Math.abs(one.score - target) < Math.abs(best.score - target) ? one : best,
  );
}

function indexOf({ qualities }: QualitySteps, quality: number): number {
  return qualities.findIndex((one) => one >= quality);
}

function nearestIndex(positions: readonly number[], position: number): number {
  const distances = positions.map((one) => Math.abs(one - position));
  return distances.indexOf(Math.min(...distances));
}
