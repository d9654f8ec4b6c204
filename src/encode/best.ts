import type { Format, Tier } from '../protocol/request.ts';
import { isDrawn } from './content-class.ts';
import type { Setting } from './encodings.ts';
import { AVIF_STEPS, jpegSteps, type QualitySteps, webpSteps } from './quality-steps.ts';
import { type Attempt, lowestStep } from './search-quality.ts';
import type { Still, Trial } from './still.ts';
import { TARGETS } from './tier-quality.ts';

export interface BestRequest {
  format: Format;
  tier: Tier;
  maxBytes?: number | undefined;
}

const DRAFT_ATTEMPTS = 3;
/** Bytes grow more evenly than scores. */
const BUDGET_ATTEMPTS = 4;
/** So small, the container of AVIF weighs: others may be smaller. */
const SMALL_PIXELS = 128 * 128;

/**
 * Finds the smallest encoding of a still that reaches the target of its tier: by search in each encoding that has a quality, by
 * trying in those that have none. Where nothing reaches the target, it is what comes nearest.
 */
export async function encodeBest(still: Still, { format, tier, maxBytes }: BestRequest): Promise<Trial> {
  const { lossy, settings } = candidatesFor(format, still);
  const trials: Trial[] = [];
  for (const steps of lossy) trials.push(await lowestQuality(still, steps, tier));
  for (const setting of settings) trials.push(await still.try(setting));
  const best = smallestThatReaches(trials, TARGETS[tier]);
  if (maxBytes === undefined || best.body.byteLength <= maxBytes) return best;
  const within: Trial[] = [];
  for (const steps of lossy) within.push(await withinBudget(still, steps, tier, maxBytes));
  return richestWithin([...trials, ...within], maxBytes);
}

interface Candidates {
  lossy: readonly QualitySteps[];
  settings: readonly Setting[];
}

function candidatesFor(format: Format, { contentClass, width, height, isOpaque }: Still): Candidates {
  const isSmall = width * height <= SMALL_PIXELS;
  const hasLossless = isDrawn(contentClass) || isSmall;
  const webp = webpSteps(contentClass);
  const jpegs = contentClass === 'photo' ? [jpegSteps('4:2:0')] : [jpegSteps('4:2:0'), jpegSteps('4:4:4')];
  switch (format) {
    case 'avif':
      return {
        lossy: isSmall ? [AVIF_STEPS, webp] : [AVIF_STEPS],
        settings: hasLossless ? LOSSLESS_WEBP : [],
      };
    case 'webp':
      // In JPEG what is transparent would be white.
      return { lossy: isOpaque ? [webp, ...jpegs] : [webp], settings: hasLossless ? LOSSLESS_WEBP : [] };
    case 'jpeg':
      return { lossy: jpegs, settings: hasLossless ? LOSSLESS_PNG : [] };
  }
}

/** All but, and entirely. */
const LOSSLESS_WEBP: readonly Setting[] = [20, 60, 100].map((nearLossless) => ({
  encoding: 'webp',
  nearLossless,
}));
const LOSSLESS_PNG: readonly Setting[] = [
  { encoding: 'png', colours: 'palette' },
  { encoding: 'png', colours: 'all' },
];

/** The lowest quality of an encoding that reaches a tier's target, else the highest that was tried. */
async function lowestQuality(still: Still, steps: QualitySteps, tier: Tier): Promise<Trial> {
  const goal = TARGETS[tier];
  const { attempts, slope } = steps;
  const range = { from: stepOf(steps, steps.floor[still.contentClass]), to: steps.qualities.length - 1 };
  const usual = { start: stepOf(steps, steps.start[tier]), slope };
  let begin = usual;
  if (steps.draft) {
    const { stepsAway } = steps.draft;
    const attempt = trialAt(still, { ...steps, ...steps.draft });
    const found = await lowestStep({ ...range, ...usual, attempts: DRAFT_ATTEMPTS, attempt }, goal);
    begin = { start: found.crossing + stepsAway[tier], slope: found.slope };
  }
  const attempt = trialAt(still, steps);
  const found = await lowestStep({ ...range, ...begin, attempts, attempt }, goal);
  const { reached, tried } = found;
  if (!reached) return tried.reduce(higherScore);
  const between = steps.between?.(
    steps.qualities[reached.step] as number,
    (reached.score - goal) / found.slope,
  );
  if (!between || reached.step === range.from) return reached;
  return smallestThatReaches([reached, await still.try(between)], goal);
}

/** The highest quality whose bytes are within a budget, but none that is below the target of `saver`. */
async function withinBudget(still: Still, steps: QualitySteps, tier: Tier, maxBytes: number): Promise<Trial> {
  const least = await lowestQuality(still, steps, 'saver');
  const most = await lowestQuality(still, steps, tier);
  if (least.body.byteLength > maxBytes || most.body.byteLength <= maxBytes) return least;
  // Bytes grow by about as much from step to step, so that their logarithm rises evenly.
  const from = stepOf(steps, qualityOf(least));
  const to = stepOf(steps, qualityOf(most));
  const bytesAt = async (step: number) => {
    const trial = await still.try(steps.settingAt(steps.qualities[step] as number));
    return { ...trial, step, value: Math.log(trial.body.byteLength) };
  };
  const slope = Math.log(most.body.byteLength / least.body.byteLength) / Math.max(1, to - from);
  const start = from + Math.log(maxBytes / least.body.byteLength) / slope;
  const beyond = Math.log(maxBytes + 1);
  const { tried } = await lowestStep(
    { from, to, start, slope, attempts: BUDGET_ATTEMPTS, attempt: bytesAt },
    beyond,
  );
  return tried.filter(({ value }) => value < beyond).reduce<Trial>(higherScore, least);
}

/** The lowest step of at least a quality. */
function stepOf({ qualities }: QualitySteps, quality: number): number {
  return qualities.findIndex((one) => one >= quality);
}

function qualityOf({ setting }: Trial): number {
  return 'quality' in setting ? setting.quality : Number.NaN;
}

function trialAt(still: Still, steps: Pick<QualitySteps, 'qualities' | 'settingAt'>) {
  return async (step: number): Promise<Trial & Attempt> => {
    const trial = await still.try(steps.settingAt(steps.qualities[step] as number));
    return { ...trial, step, value: trial.score };
  };
}

function smallestThatReaches(trials: readonly Trial[], target: number): Trial {
  const reaching = trials.filter(({ score }) => score >= target);
  if (reaching.length === 0) return trials.reduce(higherScore);
  return reaching.reduce((least, one) => (one.body.byteLength < least.body.byteLength ? one : least));
}

/** Of what is within a budget the best, else the smallest that `saver` would take. */
function richestWithin(trials: readonly Trial[], maxBytes: number): Trial {
  const within = trials.filter(({ body, score }) => body.byteLength <= maxBytes && score >= TARGETS.saver);
  return within.length > 0 ? within.reduce(higherScore) : smallestThatReaches(trials, TARGETS.saver);
}

function higherScore<T extends Trial>(one: T, other: T): T {
  return other.score > one.score ? other : one;
}
