import type { VariantAddress, VariantName } from '../protocol/keys.ts';
import type { ClientHints } from '../protocol/negotiation.ts';
import { sourceHost } from '../protocol/source-syntax.ts';
import type { SourceFetcher } from '../source/source.ts';
import type { SourceRecord, SourceRecords } from '../source/source-records.ts';
import type { BestEffortStore } from '../store/best-effort-store.ts';
import type { StoredObject } from '../store/store.ts';
import type { MakeVariants } from './make-variants.ts';
import type { ReadTarget } from './read-target.ts';
import { type Trace, timed } from './trace.ts';
import { createSingleFlight, type WorkQueue } from './work-queue.ts';

/** All that the line of an image request needs. */
export interface VariantServices {
  /** Parse, verify, negotiate and key. */
  readTarget: ReadTarget;
  store: BestEffortStore;
  records: SourceRecords;
  source: SourceFetcher;
  workQueue: WorkQueue;
  /** Is told of each variant that is served and was made quickly, if the best of it is wanted. */
  requestUpgrade: RequestUpgrade | undefined;
  makeVariants: MakeVariants;
  /** Unix milliseconds. */
  nowMs: () => number;
}

/** Asks for the best form of a variant that was made quickly. Never throws, and does not wait. */
export type RequestUpgrade = (name: VariantName, key: string) => void;

/** One variant, ready to be sent. */
export interface Variant {
  /** Where it is in the store. */
  key: string;
  object: StoredObject;
  /** Whether it was in the store, was put there just now, or could not be put there. */
  origin: 'stored' | 'made' | 'made but not stored';
  /** The request headers that chose it. */
  vary: readonly string[];
}

export type GetVariant = (target: string, hints: ClientHints, trace: Trace) => Promise<Variant>;

/**
 * Makes the line that an image request takes, from the raw request target to the variant.
 *
 * The function that it returns throws an `EdgepressError` for all that a request or a source can do wrong.
 */
export function createGetVariant(services: VariantServices): GetVariant {
  const { readTarget, store, records, source, workQueue, makeVariants, requestUpgrade, nowMs } = services;
  const flight = createSingleFlight<Flight>();

  async function getVariant(target: string, hints: ClientHints, trace: Trace): Promise<Variant> {
    const { name, address, vary } = readTarget(target, hints, trace);
    const { key } = address;
    const landed = await flight(key, () => findOrMake(name, address, trace));
    joinTrace(trace, landed);
    const isStored = landed.origin !== 'made but not stored';
    if (isStored && landed.object.metadata['effort'] === 'fast') requestUpgrade?.(name, key);
    return { key, object: landed.object, origin: landed.origin, vary };
  }

  async function findOrMake(name: VariantName, address: VariantAddress, trace: Trace): Promise<Flight> {
    const startedAtMs = nowMs();
    const object = await timed(trace, 'store', store.get(address.key));
    if (object) return { object, origin: 'stored', trace };
    source.assertAllowed(name.src);
    const record = await timed(trace, 'store', records.read(address.recordKey));
    const cachedFailure = records.cachedFailure(record);
    if (cachedFailure) throw cachedFailure;
    return await workQueue.enter(sourceHost(name.src), () => make(name, startedAtMs, record, trace));
  }

  async function make(
    { unit, src, ...choice }: VariantName,
    startedAtMs: number,
    record: SourceRecord | undefined,
    trace: Trace,
  ): Promise<Flight> {
    const order = { unit, src, fetch: source.fetch, choices: [choice], startedAtMs, record };
    const [made] = await makeVariants({ ...order, effort: 'fast', urgency: 'viewer' }, trace);
    if (!made) throw new Error('an order for one variant brought none');
    return { object: made.object, origin: made.isStored ? 'made' : 'made but not stored', trace };
  }

  return getVariant;
}

interface Flight extends Omit<Variant, 'key' | 'vary'> {
  /** Of the request that the work was done for. */
  trace: Trace;
}

/** Whoever joined a flight tells of its steps too, but not as its own. */
function joinTrace(trace: Trace, flight: Flight): void {
  trace.outcome = flight.origin === 'stored' ? 'hit' : 'miss';
  if (flight.trace === trace) return;
  trace.joined = true;
  Object.assign(trace.ms, flight.trace.ms);
}
