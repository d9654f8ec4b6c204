import PQueue from 'p-queue';
import type { Effort } from '../encode/encoder.ts';
import { EdgepressError } from '../protocol/error.ts';
import { unitAddress, type VariantSpec } from '../protocol/keys.ts';
import type { PurgeSweep } from '../purge/sweep.ts';
import type { Job } from '../queue/queue.ts';
import type { SourceFetcher } from '../source/source.ts';
import type { SourceRecords } from '../source/source-records.ts';
import type { StoredInfo } from '../store/store.ts';
import type { MadeVariant, MakeVariants } from '../variant/make-variants.ts';
import { createTrace } from '../variant/trace.ts';
import type { RetryingFetch } from './bounded-fetch.ts';
import {
  assertImageAllowed,
  type ImageInventory,
  type InventoryServices,
  type ReadImageInventory,
  readUnitInventory,
} from './inventory.ts';
import { decodeManifest, type Manifest } from './manifest.ts';
import { type ImageOutcome, sourceBytesOf, summarizeVariant } from './outcome.ts';
import type { UnitImage } from './unit.ts';

export interface PrewarmServices extends InventoryServices {
  records: SourceRecords;
  source: Pick<SourceFetcher, 'assertAllowed'>;
  /** How sources are fetched here. */
  fetches: () => RetryingFetch;
  makeVariants: MakeVariants;
  /** With `best`, what was made quickly for a viewer is made anew. */
  effort: Effort;
  sweep: Pick<PurgeSweep, 'sweepUnit'>;
  /** Once it is aborted, images that have not begun stay pending, and their jobs fail. */
  signal: AbortSignal;
}

/** Images looked up in the store at once, of all units together. */
const LOOKUPS_AT_ONCE = 64;

/** Makes what is missing of a unit; see `Units.prewarm`. */
export type Prewarm = (job: Job, tell: (outcome: ImageOutcome) => void) => Promise<void>;

export function createPrewarm(services: PrewarmServices): Prewarm {
  const { store, records, sha256, source, fetches, makeVariants, effort, sweep, signal } = services;
  const lookups = new PQueue({ concurrency: LOOKUPS_AT_ONCE });

  async function prewarm(job: Job, tell: (outcome: ImageOutcome) => void): Promise<void> {
    // What was purged may have left something behind: the job that comes for the second time, or one that ends just now.
    await sweep.sweepUnit(job.unit);
    const manifest = decodeManifest(await store.get(unitAddress(job.unit, sha256).manifestKey));
    if (!manifest) return;
    const survey = await readUnitInventory(services, manifest);
    // An image that a unit has twice is made once.
    const outcomes = new Map<string, Promise<Finished>>();
    const finishOnce = (image: UnitImage) => {
      const work = outcomes.get(image.src) ?? finish(image, { job, manifest, survey });
      outcomes.set(image.src, work);
      return work;
    };
    const finished = await Promise.all(manifest.images.map(finishOnce));
    for (const { outcome } of finished) tell(outcome);
    const failed = finished.find(({ fault }) => fault !== undefined);
    if (failed) throw failed.fault;
  }

  /** Never throws: what is nobody's fault but ours stands beside the outcome, once all images have been tried. */
  async function finish(image: UnitImage, task: Task): Promise<Finished> {
    const { unit } = task.job;
    const { src } = image;
    try {
      const surveyed = await lookups.add(() => {
        signal.throwIfAborted();
        return task.survey(image);
      });
      return { outcome: await makeMissing(surveyed, task) };
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

  async function makeMissing(surveyed: ImageInventory, task: Task): Promise<ImageOutcome> {
    const { image, wanted, found, missing } = surveyed;
    const { unit } = task.job;
    const { maxBytes } = task.manifest;
    const objects = new Map<VariantSpec, StoredInfo>(found.map(({ choice, info }) => [choice, info]));
    const worse = found.filter(({ info }) => isQuick(info) || isOverBudget(info, maxBytes));
    const choices = [...missing, ...worse.map(({ choice }) => choice)];
    if (choices.length > 0) {
      const made = await make(surveyed, choices, task).catch((error: unknown) => {
        // What a viewer was once given is there, whatever has become of its source.
        if (missing.length === 0 && error instanceof EdgepressError && isAboutSource(error)) return [];
        throw error;
      });
      for (const { choice, object } of made) objects.set(choice, object);
    }
    return {
      unit,
      src: image.src,
      state: 'ready',
      sourceBytes: sourceBytesOf([...objects.values()]),
      variants: wanted.flatMap((choice) => summarizeVariant(choice, objects.get(choice), maxBytes)),
      skipped: choices.length === 0,
    };
  }

  async function make(
    { image, record }: ImageInventory,
    choices: readonly VariantSpec[],
    { job, manifest }: Task,
  ): Promise<readonly MadeVariant[]> {
    const { unit } = job;
    const { src } = image;
    assertImageAllowed(source, unit, src);
    // The work began when the unit was handed over: a purge since then was meant for it, though this job began later.
    const startedAtMs = Date.parse(manifest.receivedAt);
    const isTriedAgain = job.retry && record !== undefined && Date.parse(record.lastAttempt) < startedAtMs;
    const cachedFailure = isTriedAgain ? undefined : records.cachedFailure(record);
    if (cachedFailure) throw cachedFailure;
    const { fetch, letGo } = fetches();
    try {
      const { maxBytes } = manifest;
      const tried = { effort: maxBytes === undefined ? effort : 'best', maxBytes } as const;
      const order = { unit, src, fetch, choices, ...tried, urgency: 'prewarm', startedAtMs, record } as const;
      const made = await makeVariants(order, createTrace());
      if (made.some(({ isStored }) => !isStored)) throw notStored();
      return made;
    } finally {
      letGo();
    }
  }

  /** Made for a viewer, in a hurry. */
  function isQuick({ metadata }: StoredInfo): boolean {
    return effort === 'best' && metadata['effort'] === 'fast';
  }

  return prewarm;
}

/** Whether it weighs too much, and was not made to weigh so little: else it would be made again each time. */
function isOverBudget({ bytes, metadata }: StoredInfo, maxBytes = Number.POSITIVE_INFINITY): boolean {
  return bytes > maxBytes && Number(metadata['max-bytes'] ?? Number.POSITIVE_INFINITY) > maxBytes;
}

interface Task {
  job: Job;
  manifest: Manifest;
  survey: ReadImageInventory;
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
