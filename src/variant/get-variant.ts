import type { Locks } from '../locks.ts';
import type { VariantAddress, VariantName } from '../protocol/keys.ts';
import type { ClientHints } from '../protocol/negotiation.ts';
import type { ResolvedRequest } from '../protocol/resolve-request.ts';
import { sourceHost } from '../protocol/source-syntax.ts';
import type { WorkStart } from '../protocol/work-start.ts';
import type { PurgeSweep } from '../purge/sweep.ts';
import type { SourceFetcher } from '../source/source.ts';
import type { SourceRecord, SourceRecords } from '../source/source-records.ts';
import type { BestEffortStore } from '../store/best-effort-store.ts';
import type { StoredObject } from '../store/store.ts';
import type { MakeVariants } from './make-variants.ts';
import type { ManifestFacts, ReadManifestFacts } from './manifest-facts.ts';
import type { FindGaps } from './not-prewarmed.ts';
import type { ReadTarget } from './read-target.ts';
import { createSingleFlight } from './single-flight.ts';
import { type Trace, timed } from './trace.ts';
import { isUpgradeable } from './variant-object.ts';
import type { Turn, WorkQueue } from './work-queue.ts';

// What happens to an image request. Start reading here.
//
//   URL → parse and verify → negotiate → key → store.get ── hit ────────────────────────────→ response
//                                                └ miss → source record says broken? ───────→ error
//                                                        → fetch → encode → store.put ──────→ response

export interface GetVariantServices {
  /** Parses, verifies, negotiates and makes the key. */
  readTarget: ReadTarget;
  store: BestEffortStore;
  records: SourceRecords;
  sweep: Pick<PurgeSweep, 'beginWork'>;
  readManifestFacts: ReadManifestFacts;
  /** Called once for each variant that is made, however many requests share it. */
  findGaps: FindGaps;
  source: SourceFetcher;
  workQueue: WorkQueue;
  /** Fetches, encodes and puts. */
  makeVariants: MakeVariants;
  /** Called for each variant of effort `fast` or an earlier recipe that is served from the store or was just stored; `undefined`: upgrades are off. */
  requestUpgrade: RequestUpgrade | undefined;
  /** Unix milliseconds. */
  nowMs: () => number;
  /** Let one process make a variant, and the others wait for it. */
  locks: Locks;
  /** Runs what is more than a hit in memory, so that all that it logs and asks of others has the ids of the request. */
  inContext: <T>(trace: Trace, work: () => Promise<T>) => Promise<T>;
}

/** Queues a job that makes a variant again with effort `best`. Never throws and does not wait for the job. */
export type RequestUpgrade = (name: VariantName, key: string) => void;

/** A variant to send. */
export interface Variant {
  /** Its key in the store. */
  key: string;
  object: StoredObject;
  /** Where it comes from: the store; or just made, and then stored or not. */
  origin: 'stored' | 'made' | 'made but not stored';
  /** The request headers that were consulted, for `Vary`. */
  vary: readonly string[];
  /** How long its URL is still valid, in seconds; `undefined` if the URL does not expire. */
  secondsToExpiry: number | undefined;
}

/**
 * Returns the variant that a request is for, from the store or freshly made. A hit in memory is returned as it is and everything else as a
 * promise: awaiting what is there costs a tenth of a hit.
 *
 * @param target - the raw request target: path and query exactly as sent
 * @param viewer - returns a signal that aborts when the viewer leaves. It is called only if there is something to wait for. Work that no
 *   viewer waits for any more is given up
 * @throws EdgepressError for everything that can be wrong with a request or a source, and `overloaded`
 * @throws the reason of the signal
 */
export type GetVariant = (
  target: string,
  hints: ClientHints,
  trace: Trace,
  viewer?: () => AbortSignal,
) => Variant | Promise<Variant>;

export function createGetVariant(services: GetVariantServices): GetVariant {
  const { readTarget, store, records, sweep, source, workQueue, makeVariants, requestUpgrade, nowMs, locks } =
    services;
  const { inContext, readManifestFacts, findGaps } = services;
  const singleFlight = createSingleFlight<Flight>();

  function getVariant(
    target: string,
    hints: ClientHints,
    trace: Trace,
    viewer?: () => AbortSignal,
  ): Variant | Promise<Variant> {
    const request = readTarget(target, hints, trace);
    const { name, address } = request;
    const hit = inMemory(address.key, trace);
    if (hit) return toVariant(request, hit);
    const found = inContext(trace, () => join(name, address, trace, viewer?.()));
    return found.then(
      (flight) => toVariant(request, flight),
      (error: unknown) => {
        trace.secondsToExpiry = secondsLeft(request);
        throw error;
      },
    );
  }

  function secondsLeft({ expiresAt }: ResolvedRequest): number | undefined {
    return expiresAt === undefined ? undefined : Math.max(0, expiresAt - Math.floor(nowMs() / 1000));
  }

  function toVariant(request: ResolvedRequest, { object, origin }: Found): Variant {
    const { name, address, vary } = request;
    const { key } = address;
    if (origin !== 'made but not stored' && isUpgradeable(object)) requestUpgrade?.(name, key);
    return { key, object, origin, vary, secondsToExpiry: secondsLeft(request) };
  }

  /** The usual hit: it waits for nothing. */
  function inMemory(key: string, trace: Trace): Found | undefined {
    const start = performance.now();
    const object = store.peek(key);
    if (!object) return undefined;
    trace.outcome = 'hit';
    trace.ms.store = performance.now() - start;
    return { object, origin: 'stored' };
  }

  async function join(
    name: VariantName,
    address: VariantAddress,
    trace: Trace,
    viewer: AbortSignal | undefined,
  ): Promise<Flight> {
    const fly = () => singleFlight(address.key, viewer, (signal) => findOrMake(name, address, trace, signal));
    const joined = await fly();
    // What was being read when this request came may have been purged before: what is read from now on was not.
    const mayBePurged = joined.origin === 'stored' && joined.trace !== trace;
    const flight = mayBePurged ? await fly() : joined;
    joinTrace(trace, flight);
    return flight;
  }

  /** @param signal - aborts when nobody waits for the variant any more */
  async function findOrMake(
    name: VariantName,
    address: VariantAddress,
    trace: Trace,
    signal: AbortSignal,
  ): Promise<Flight> {
    const found = await find(name, address, trace);
    if ('object' in found) return found;
    return await locks.run(`variant ${address.key}`, { limit: 1, signal }, async (hasWaited) => {
      const now = hasWaited ? await find(name, address, trace) : found;
      if ('object' in now) return now;
      const host = sourceHost(name.src);
      return await workQueue.run(host, signal, (turn) => make(name, now, trace, turn));
    });
  }

  /** @throws EdgepressError the cached failure of the source */
  async function find(name: VariantName, address: VariantAddress, trace: Trace): Promise<Flight | Missing> {
    // Read beside the variant: work that began before a purge must leave nothing, and nobody waits for it.
    const starting = sweep.beginWork(name.unit);
    const stored = await timed(trace, 'store', store.get(address.key));
    if (stored) return { object: stored, origin: 'stored', trace };
    source.assertAllowed(name.src);
    const record = await timed(trace, 'record', records.read(address.recordKey, name.src));
    const cachedFailure = records.cachedFailure(record);
    if (cachedFailure) throw cachedFailure;
    source.assertReachable(name.src);
    // Before all that only work needs: most requests at ten times the capacity end here.
    workQueue.assertRoom(sourceHost(name.src));
    return { start: await starting, record, manifest: readManifestFacts(name.unit) };
  }

  async function make(
    name: VariantName,
    { start, record, manifest }: Missing,
    trace: Trace,
    { signal, fetch: fetchInTurn, start: onStart, leave: onEncoded }: Turn,
  ): Promise<Flight> {
    const fetch = () => fetchInTurn((place) => timed(trace, 'fetch', source.fetch(src, signal, place)));
    const { unit, src, ...spec } = name;
    // Never rejects, and is known before the variant is put.
    const groupTag = manifest.then((facts) => {
      const gaps = findGaps(name, facts?.prewarmed);
      if (gaps.length > 0) trace.notPrewarmed = gaps.join(',');
      return facts?.groupTag;
    });
    const batch = { unit, src, specs: [spec], start, record, groupTag, signal, onStart, onEncoded };
    const [made] = await makeVariants({ ...batch, fetch, effort: 'fast', urgency: 'viewer' }, trace);
    if (!made) throw new Error('a batch of one spec returned no variant');
    return { object: made.object, origin: made.isStored ? 'made' : 'made but not stored', trace };
  }

  return getVariant;
}

/** What is known of a variant that is not stored. */
interface Missing {
  /** When it was looked for. */
  start: WorkStart;
  record: SourceRecord | undefined;
  manifest: Promise<ManifestFacts | undefined>;
}

/** A variant, and where it comes from. */
type Found = Pick<Variant, 'object' | 'origin'>;

/** What the requests that share one flight have in common. */
interface Flight extends Found {
  /** The trace of the request that started the flight. */
  trace: Trace;
}

/** Copies the timings of a flight that this request joined, and marks them as shared. */
function joinTrace(trace: Trace, flight: Flight): void {
  trace.outcome = flight.origin === 'stored' ? 'hit' : 'miss';
  if (flight.trace === trace) return;
  trace.joined = true;
  trace.joinedRequestId = flight.trace.requestId;
  trace.notPrewarmed = flight.trace.notPrewarmed;
  Object.assign(trace.ms, flight.trace.ms);
}
