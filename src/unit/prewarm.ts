import PQueue from 'p-queue';
import type { Effort } from '../encode/encoder.ts';
import { EdgepressError } from '../protocol/error.ts';
import { groupCacheTag, type VariantSpec } from '../protocol/keys.ts';
import type { PurgeSweep } from '../purge/sweep.ts';
import type { Job } from '../queue/queue.ts';
import type { SourceFetcher } from '../source/source.ts';
import type { SourceRecords } from '../source/source-records.ts';
import type { MadeVariant, MakeVariants } from '../variant/make-variants.ts';
import { createTrace } from '../variant/trace.ts';
import { budgetOf, isFast, isStale } from '../variant/variant-object.ts';
import type { BoundedFetch } from './bounded-fetch.ts';
import type { CurrentManifest } from './current-manifest.ts';
import {
  type FoundVariant,
  type ImageInventory,
  type InventoryServices,
  readUnitInventory,
  type UnitInventory,
} from './inventory.ts';
import type { KnownVariant, VariantFacts } from './known-variants.ts';
import { type Manifest, startOfManifest } from './manifest.ts';
import { type ImageOutcome, sourceBytesOf, summarizeVariant } from './outcome.ts';
import { assertImageAllowed, type UnitImage } from './unit.ts';

export interface PrewarmServices extends InventoryServices {
  manifests: Pick<CurrentManifest, 'begin'>;
  records: SourceRecords;
  source: Pick<SourceFetcher, 'assertAllowed'>;
  /** Creates the fetch of one source. */
  createFetch: () => BoundedFetch;
  makeVariants: MakeVariants;
  /** With `best`, variants that were made at effort `fast` for a viewer are made again. */
  effort: Effort;
  sweep: Pick<PurgeSweep, 'sweepUnit'>;
  /** Once it aborts, images that have not started stay pending, and their jobs fail. */
  signal: AbortSignal;
}

/** The most images that are looked up in the store at the same time, of all units together. */
const LOOKUP_CONCURRENCY = 64;

/** Makes the missing variants of a unit; see `Units.prewarm`. */
export type Prewarm = (
  job: Job,
  onOutcome: (outcome: ImageOutcome) => void,
) => Promise<PrewarmedUnit | undefined>;

/** What became of the images that a job was about: each is ready or broken. */
export interface PrewarmedUnit {
  manifest: Manifest;
  outcomes: readonly ImageOutcome[];
  /** The variants of those that are ready. Empty where listings have no ETags, by which they could be known again. */
  variants: readonly KnownVariant[];
}

export function createPrewarm(services: PrewarmServices): Prewarm {
  const { manifests, sweep } = services;
  const lookups = new PQueue({ concurrency: LOOKUP_CONCURRENCY });
  return async (job, onOutcome) => {
    // After a purge, an earlier delivery of this job, or one that is ending now, may have left objects behind.
    await sweep.sweepUnit(job.unit);
    const manifest = await manifests.begin(job.unit, job.pack);
    if (!manifest) return undefined;
    const inventory = await readUnitInventory(services, manifest);
    const work: UnitWork = { services, lookups, job, manifest, inventory };
    // A source that several images of the unit share is processed once.
    const results = new Map<string, Promise<ImageResult>>();
    const prewarmOnce = (image: UnitImage) => {
      const result = results.get(image.src) ?? prewarmImage(image, work);
      results.set(image.src, result);
      return result;
    };
    const images = imagesOf(job, manifest);
    const done = await Promise.all(images.map(prewarmOnce));
    // Like a unit that was purged before: there is nothing to tell of it, and nothing to try again.
    if (done.some(({ error }) => error instanceof PurgedMeanwhile)) return undefined;
    // Images with one source have names of their own.
    const outcomes = done.map(({ outcome }, index) => withName(outcome, images[index]?.name));
    for (const outcome of outcomes) onOutcome(outcome);
    const failed = done.find(({ error }) => error !== undefined);
    if (failed) throw failed.error;
    const variants = inventory.hasEtags ? [...new Set(done)].flatMap((result) => result.variants) : [];
    return { manifest, outcomes, variants };
  };
}

/** Returns the images of the unit that the job is about. */
function imagesOf({ from, images }: Job, manifest: Manifest): readonly UnitImage[] {
  return from === undefined ? manifest.images : manifest.images.slice(from, from + images);
}

function withName({ unit, src, ...outcome }: ImageOutcome, name: string | undefined): ImageOutcome {
  return { unit, src, ...(name !== undefined && { name }), ...outcome };
}

/** What the images of one unit share. */
interface UnitWork {
  services: PrewarmServices;
  /** Bounds the lookups in the store, of all units together. */
  lookups: PQueue;
  job: Job;
  manifest: Manifest;
  inventory: UnitInventory;
}

interface ImageResult {
  outcome: ImageOutcome;
  /** Those of a ready image. */
  variants: readonly KnownVariant[];
  /** Why the image is pending. */
  error?: unknown;
}

/** Never throws: an error that is not about the source is returned beside the outcome, so that all images are tried. */
async function prewarmImage(image: UnitImage, work: UnitWork): Promise<ImageResult> {
  const { services, lookups, job, inventory } = work;
  const { unit } = job;
  const { src } = image;
  try {
    const found = await lookups.add(() => {
      services.signal.throwIfAborted();
      return inventory.readImage(image);
    });
    return await completeImage(found, work);
  } catch (error) {
    if (error instanceof EdgepressError && isAboutSource(error)) {
      const { code, message: detail, retryable } = error;
      return { outcome: { unit, src, state: 'broken', code, detail, retryable }, variants: [] };
    }
    const isPublic = error instanceof EdgepressError;
    const detail = isPublic ? error.message : `it could not be processed (${(error as Error).message})`;
    return { outcome: { unit, src, state: 'pending', detail }, variants: [], error };
  }
}

/** Makes the variants that are missing, too large, made with an earlier recipe, or to be made at a better effort. */
async function completeImage(inventory: ImageInventory, work: UnitWork): Promise<ImageResult> {
  const { image, wanted, found, missing } = inventory;
  const { effort } = work.services;
  const { maxBytes } = work.manifest;
  const variants = new Map<VariantSpec, Omit<FoundVariant, 'spec'>>(
    found.map(({ spec, ...variant }) => [spec, variant]),
  );
  const replaceable = found.filter(
    ({ info }) => isStale(info) || isMadeFaster(info, effort) || isOverBudget(info, maxBytes),
  );
  const specs = [...missing, ...replaceable.map(({ spec }) => spec)];
  if (specs.length > 0) {
    // Only `best` meets a budget, and what was made with it is not made worse.
    const isBest = maxBytes !== undefined || replaceable.some(({ info }) => !isFast(info));
    const made = await makeAll(inventory, specs, isBest ? 'best' : effort, work).catch((error: unknown) => {
      // All variants are in the store, if not the best ones: the image is ready, even if its source is broken by now.
      if (missing.length === 0 && error instanceof EdgepressError && isAboutSource(error)) return [];
      throw error;
    });
    for (const { spec, key, object } of made) variants.set(spec, { key, info: object });
  }
  const infos = [...variants.values()].map(({ info }) => info);
  const outcome: ImageOutcome = {
    unit: work.job.unit,
    src: image.src,
    state: 'ready',
    sourceBytes: sourceBytesOf(infos),
    variants: wanted.flatMap((spec) => {
      const variant = variants.get(spec);
      return variant ? [summarizeVariant(spec, variant.info, maxBytes)] : [];
    }),
    skipped: specs.length === 0,
  };
  return { outcome, variants: [...variants.values()] };
}

async function makeAll(
  { image: { src }, record }: ImageInventory,
  specs: readonly VariantSpec[],
  effort: Effort,
  { services, job: { unit, retry }, manifest }: UnitWork,
): Promise<readonly MadeVariant[]> {
  assertImageAllowed(services.source, unit, src);
  // The work started when the unit was submitted: a purge since then was meant for it, although this job started later.
  const start = startOfManifest(manifest);
  const isRetry = retry && record !== undefined && Date.parse(record.lastAttempt) < start.atMs;
  const cachedFailure = isRetry ? undefined : services.records.cachedFailure(record);
  if (cachedFailure) throw cachedFailure;
  const { maxBytes } = manifest;
  const { fetch, release } = services.createFetch();
  try {
    const groupTag =
      manifest.group === undefined ? undefined : groupCacheTag(manifest.group, services.sha256);
    const batch = { unit, src, fetch, specs, effort, maxBytes, start, record, groupTag };
    const made = await services.makeVariants({ ...batch, urgency: 'prewarm' }, createTrace());
    if (made.some(({ isStored }) => !isStored)) throw whyNotStored(unit, made);
    return made;
  } finally {
    release();
  }
}

/** Whether the variant was made at effort `fast` for a viewer and is to be made again at `best`. */
function isMadeFaster(info: VariantFacts, effort: Effort): boolean {
  return effort === 'best' && isFast(info);
}

/** Whether the variant exceeds the budget and was made without it, or with a larger one: otherwise it would be made again each time. */
function isOverBudget(info: VariantFacts, maxBytes = Number.POSITIVE_INFINITY): boolean {
  return info.bytes > maxBytes && (budgetOf(info) ?? Number.POSITIVE_INFINITY) > maxBytes;
}

/** Whether the error says what is wrong with a source. Any other is caused by this service, and the next attempt may succeed. */
function isAboutSource({ code }: EdgepressError): boolean {
  return code !== 'overloaded' && code !== 'internal';
}

/** The unit was purged while its variants were made. */
class PurgedMeanwhile extends Error {
  constructor(unit: string) {
    super(`the unit ${unit} was purged meanwhile`);
  }
}

/** Returns why variants that were made are not in the store. */
function whyNotStored(unit: string, made: readonly MadeVariant[]): Error {
  const reasons = made.flatMap(({ notStored }) => (notStored ? [notStored] : []));
  if (reasons.some(({ why }) => why === 'purged')) return new PurgedMeanwhile(unit);
  const failed = reasons.find((reason) => reason.why === 'store failed');
  const what = failed
    ? `the store failed (${(failed.error as Error).message})`
    : 'the tombstone of the unit could not be read, so that it is unknown whether it was purged meanwhile';
  return new EdgepressError('internal', `made, but not kept: ${what}`, { cause: failed?.error });
}
