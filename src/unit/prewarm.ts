import PQueue from 'p-queue';
import { EdgepressError } from '../error.ts';
import type { Job } from '../queue/queue.ts';
import type { SourceFetcher } from '../source/source.ts';
import type { SourceRecords } from '../source/source-records.ts';
import type { StoredInfo } from '../store/store.ts';
import { unitAddress } from '../variant/key.ts';
import type { MakeVariants, VariantChoice } from '../variant/make-variants.ts';
import { createTrace } from '../variant/trace.ts';
import { admitImage } from './admit-image.ts';
import { decodeManifest } from './manifest.ts';
import { type ImageOutcome, sourceBytesOf, summarizeVariant } from './outcome.ts';
import type { PurgeSweep } from './purge-sweep.ts';
import { type SurveyedImage, type SurveyImage, type SurveyServices, surveyUnit } from './survey.ts';
import type { UnitImage } from './unit.ts';

export interface PrewarmServices extends SurveyServices {
  records: SourceRecords;
  /** Refuses what may not be fetched at all. */
  source: Pick<SourceFetcher, 'admit'>;
  makeVariants: MakeVariants;
  sweep: Pick<PurgeSweep, 'sweepUnit'>;
  /** How many images may be in hand at once: each holds a whole source in memory. */
  imagesAtOnce: number;
  /** Once it is aborted, images that have not begun stay pending, and their jobs fail. */
  signal: AbortSignal;
  nowMs: () => number;
}

/** Makes what is missing of a unit; see `Units.prewarm`. */
export type Prewarm = (job: Job, tell: (outcome: ImageOutcome) => void) => Promise<void>;

export function createPrewarm(services: PrewarmServices): Prewarm {
  const { store, records, sha256, source, makeVariants, sweep, nowMs } = services;
  const places = new PQueue({ concurrency: services.imagesAtOnce });

  async function prewarm(job: Job, tell: (outcome: ImageOutcome) => void): Promise<void> {
    const beganMs = nowMs();
    const manifest = decodeManifest(await store.get(unitAddress(job.unit, sha256).manifestKey));
    // It was purged. If this is the second time that the job comes, the first may have left something behind.
    if (!manifest) return await sweep.sweepUnit(job.unit);
    const survey = await surveyUnit(services, manifest);
    // An image that a unit has twice is made once.
    const outcomes = new Map<string, Promise<Finished>>();
    const finishOnce = (image: UnitImage) => {
      const work =
        outcomes.get(image.src) ?? places.add(() => finish(image, { unit: job.unit, survey, job, beganMs }));
      outcomes.set(image.src, work);
      return work;
    };
    const work = manifest.images.map(finishOnce);
    await Promise.allSettled(work);
    const finished = await Promise.all(work);
    for (const { outcome } of finished) tell(outcome);
    const failed = finished.find(({ fault }) => fault !== undefined);
    if (failed) throw failed.fault;
  }

  /** Never throws: what is nobody's fault but ours stands beside the outcome, once all images have been tried. */
  async function finish(image: UnitImage, task: Task): Promise<Finished> {
    const { unit } = task;
    const { src } = image;
    try {
      services.signal.throwIfAborted();
      return { outcome: await makeMissing(await task.survey(image), task) };
    } catch (error) {
      if (error instanceof EdgepressError && isAboutSource(error)) {
        const { code, message: detail, retryable } = error;
        return { outcome: { unit, src, state: 'broken', code, detail, retryable } };
      }
      const isOurs = error instanceof EdgepressError;
      const detail = isOurs ? error.message : `it could not be worked on (${(error as Error).message})`;
      return { outcome: { unit, src, state: 'pending', detail }, fault: error };
    }
  }

  async function makeMissing(surveyed: SurveyedImage, task: Task): Promise<ImageOutcome> {
    const { image, wanted, found, missing, record } = surveyed;
    const { unit, job, beganMs } = task;
    const objects = new Map<VariantChoice, StoredInfo>(found.map(({ choice, info }) => [choice, info]));
    if (missing.length > 0) {
      admitImage(source, unit, image.src);
      const verdict = job.retry ? undefined : records.verdict(record);
      if (verdict) throw verdict;
      const order = { unit, src: image.src, choices: missing, urgency: 'prewarm', beganMs, record } as const;
      const made = await makeVariants(order, createTrace());
      if (made.some(({ isStored }) => !isStored)) throw notStored();
      for (const { choice, object } of made) objects.set(choice, object);
    }
    return {
      unit,
      src: image.src,
      state: 'ready',
      sourceBytes: sourceBytesOf([...objects.values()]),
      variants: wanted.flatMap((choice) => summarizeVariant(choice, objects.get(choice))),
      skipped: missing.length === 0,
    };
  }

  return prewarm;
}

interface Task {
  unit: string;
  survey: SurveyImage;
  job: Job;
  beganMs: number;
}

interface Finished {
  outcome: ImageOutcome;
  fault?: unknown;
}

/** Whether it says what is wrong with a source: else it is ours, and may well be better the next time. */
function isAboutSource({ code }: EdgepressError): boolean {
  return code !== 'overloaded' && code !== 'internal';
}

function notStored(): EdgepressError {
  return new EdgepressError(
    'internal',
    'made, but not kept: the store failed, or the unit was purged meanwhile',
  );
}
