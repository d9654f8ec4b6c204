import type { DecodedImage, Effort, EncodedImage, Encoder, Urgency } from '../encode/encoder.ts';
import { EdgepressError } from '../protocol/error.ts';
import { type Sha256, type VariantAddress, type VariantSpec, variantAddress } from '../protocol/keys.ts';
import type { WorkStart } from '../protocol/work-start.ts';
import type { PurgeSweep, PutOutcome } from '../purge/sweep.ts';
import type { SourceFetcher } from '../source/source.ts';
import type { SourceRecord, SourceRecords } from '../source/source-records.ts';
import type { BestEffortStore } from '../store/best-effort-store.ts';
import type { StoredObject } from '../store/store.ts';
import { type OnWork, type Trace, timed } from './trace.ts';
import { type Requester, variantInfo } from './variant-object.ts';

// The second half of an image request, and all of a prewarm: fetch → encode → store.put → check the tombstone.

export interface MakeVariantsServices {
  encoder: Encoder;
  store: BestEffortStore;
  records: SourceRecords;
  sweep: Pick<PurgeSweep, 'checkTombstone'>;
  /** The `Cache-Control` of stored variants. */
  cacheControl: string;
  /** Whether variants of effort `fast` will soon be replaced. */
  upgrades: boolean;
  sha256: Sha256;
  /** MD5 of bytes, in hex: the ETag of a variant that could not be stored. */
  md5: (bytes: Uint8Array) => string;
  onWork: OnWork;
}

/** The variants to make of one source. */
export interface VariantBatch {
  unit: string;
  src: string;
  /** Fetches the source; see `SourceFetcher`. Waits for its turn, if that is needed. */
  fetch: SourceFetcher['fetch'];
  /** At least one. */
  specs: readonly VariantSpec[];
  effort: Effort;
  /** The budget of each variant, in bytes; see `EncodeRequest`. */
  maxBytes?: number | undefined;
  urgency: Urgency;
  /** Who asked for the variants. Default: as `urgency` says. */
  madeFor?: Requester;
  /** When the caller started to work on this: a purge since then wins. */
  start: WorkStart;
  /** What is known about earlier failures of the source. */
  record: SourceRecord | undefined;
  /** The cache tag of the unit's group, if it has one. */
  groupTag?: Promise<string | undefined> | string | undefined;
  /** Aborts what has not been encoded yet: nobody waits for it any more. What has been is stored. */
  signal?: AbortSignal;
  /** Called when the encoder has begun: nothing waits any more. */
  onStart?: () => void;
  /** Called once all is encoded, before it is stored. */
  onEncoded?: () => void;
  /** Put the variant only in place of the object with this ETag. Default: in place of any object or none. */
  replaces?: string;
}

export interface MadeVariant {
  spec: VariantSpec;
  key: string;
  object: StoredObject;
  /** `false` if the put failed, the unit was purged meanwhile, or `replaces` did not match. */
  isStored: boolean;
  /** Why it is not stored, when that is not because of `replaces`. */
  notStored?: NotStored;
}

/** The unit was purged meanwhile; or the store failed with this error; or it was removed again, since the tombstone could not be read. */
export type NotStored = { why: 'purged' | 'unknown' } | { why: 'store failed'; error: unknown };

/**
 * Fetches and decodes a source once, makes the variants of a batch and stores them. Removes them again if the unit was purged
 * meanwhile.
 *
 * @returns the variants, in the order of the specs
 * @throws EdgepressError what is wrong with the source, which is then saved in its source record; or `overloaded`
 * @throws TypeError if the batch has no specs
 * @throws the reason of the signal, in which case nothing is stored, not even why the source is broken
 */
export type MakeVariants = (batch: VariantBatch, trace: Trace) => Promise<readonly MadeVariant[]>;

export function createMakeVariants(services: MakeVariantsServices): MakeVariants {
  return async (batch, trace) => {
    const run = createRun(services, batch, trace);
    let made: readonly MadeVariant[];
    try {
      const image = await fetchAndDecode(run);
      made = await makeAll(run, image);
      await services.records.clear(run.recordKey, batch.record);
    } catch (error) {
      // What fails because of an abort says nothing of the source.
      batch.signal?.throwIfAborted();
      throw await saveFailure(run, error);
    }
    // A put that failed may still take effect, but the answer is known.
    const isWaitedFor = batch.urgency !== 'viewer' || made.some(({ isStored }) => isStored);
    const check = checkTombstone(run);
    if (!isWaitedFor) return made;
    const outcome = await check;
    if (outcome === 'kept') return made;
    return made.map(({ notStored, ...variant }) => ({
      ...variant,
      isStored: false,
      notStored: outcome === 'unknown' && notStored ? notStored : { why: outcome },
    }));
  };
}

/** A batch in progress: everything that its steps need. */
interface BatchRun {
  services: MakeVariantsServices;
  batch: VariantBatch;
  trace: Trace;
  /** The specs of the batch, and where to store them. */
  targets: readonly Target[];
  recordKey: string;
}

interface Target {
  spec: VariantSpec;
  address: VariantAddress;
}

function createRun(services: MakeVariantsServices, batch: VariantBatch, trace: Trace): BatchRun {
  const { unit, src, specs } = batch;
  const targets = specs.map((spec) => ({
    spec,
    address: variantAddress({ unit, src, ...spec }, services.sha256),
  }));
  const recordKey = targets[0]?.address.recordKey;
  if (recordKey === undefined) throw new TypeError('a batch needs at least one spec');
  return { services, batch, trace, targets, recordKey };
}

async function fetchAndDecode({ services, batch, trace }: BatchRun): Promise<DecodedImage> {
  const { src, specs, urgency, signal, onStart } = batch;
  const bytes = await batch.fetch(src, signal);
  trace.bytesIn = bytes.byteLength;
  const maxWidth = Math.max(...specs.map(({ width }) => width));
  return await timed(trace, 'decode', services.encoder.decode(bytes, maxWidth, urgency, signal, onStart));
}

async function makeAll(run: BatchRun, image: DecodedImage): Promise<readonly MadeVariant[]> {
  const counted = new Set<EncodedImage>();
  let left = run.targets.length;
  const work = run.targets.map(async (target) => {
    const encoded = await encode(run, target.spec, image, counted).finally(() => {
      if (--left > 0) return;
      // Before the puts: what holds the image is free for another one.
      image.close();
      run.batch.onEncoded?.();
    });
    return await put(run, target, image, encoded);
  });
  // Even if one fails: a put that is still in flight would escape the check of the tombstone.
  await Promise.allSettled(work);
  return await Promise.all(work);
}

/** @param counted - the results that `onWork` has been called for: specs can share one, which is encoded once */
async function encode(
  { services, batch, trace }: BatchRun,
  spec: VariantSpec,
  image: DecodedImage,
  counted: Set<EncodedImage>,
): Promise<EncodedImage> {
  const { effort, maxBytes } = batch;
  return await timed(trace, 'encode', image.encode({ ...spec, effort, maxBytes }), (ms, encoded) => {
    if (counted.has(encoded)) return;
    counted.add(encoded);
    const { format, tier } = spec;
    services.onWork({ kind: 'encode', ms, bytes: encoded.body.byteLength, format, tier });
  });
}

async function put(
  { services, batch, trace }: BatchRun,
  { spec, address: { key, cacheTag } }: Target,
  image: DecodedImage,
  encoded: EncodedImage,
): Promise<MadeVariant> {
  const { store, cacheControl, upgrades, md5 } = services;
  const { urgency, madeFor = urgency, maxBytes, start, replaces } = batch;
  const source = image.facts;
  const groupTag = await batch.groupTag;
  const cacheTags = groupTag === undefined ? cacheTag : `${cacheTag},${groupTag}`;
  const { body } = encoded;
  const info = variantInfo({
    ...{ encoded, source, cacheTag: cacheTags, cacheControl, upgrades, madeFor, maxBytes, start },
  });
  let notStored: NotStored | undefined;
  const onFault = (error: unknown) => {
    notStored = { why: 'store failed', error };
  };
  const putting =
    replaces === undefined
      ? store.put(key, body, info, onFault)
      : store.replace(key, replaces, body, info, onFault);
  const stored = await timed(trace, 'put', putting);
  const etag = stored?.etag ?? `"${md5(body)}"`;
  const object = { ...info, body, bytes: body.byteLength, etag };
  return { spec, key, object, isStored: stored !== undefined, ...(notStored && { notStored }) };
}

/**
 * Saves why the batch failed in the source record, if it is the fault of the source.
 *
 * @returns the error to throw. In prewarm it is `internal` if the reason could not be saved: a source reported as broken needs its record
 */
async function saveFailure(run: BatchRun, reason: unknown): Promise<unknown> {
  const { services, batch, recordKey } = run;
  const { records, onWork } = services;
  const { error, isSaved } = await records.saveFailure(
    recordKey,
    reason,
    batch.record,
    batch.start,
    batch.src,
  );
  if (error instanceof EdgepressError && error.code.startsWith('source_'))
    onWork({ kind: 'broken', code: error.code });
  const check = checkTombstone(run);
  if (batch.urgency === 'viewer' && !isSaved) return error;
  const isKnown = (await check) !== 'unknown' && isSaved;
  if (isKnown || batch.urgency === 'viewer') return error;
  return new EdgepressError('internal', 'The source is broken, but the reason could not be saved', {
    cause: error,
  });
}

/** Checks the tombstone after everything was put, and removes what was put if the unit was purged since the work started. */
function checkTombstone({ services, batch, targets, recordKey }: BatchRun): Promise<PutOutcome> {
  const keys = targets.map(({ address }) => address.key);
  return services.sweep.checkTombstone(batch.unit, batch.start, [...keys, recordKey]);
}
