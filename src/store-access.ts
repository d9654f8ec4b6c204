import type { Logger } from 'pino';
import { logCircuit } from './circuit-metrics.ts';
import { type Sha256, unitOfKey } from './protocol/keys.ts';
import { createPurgeSweep, type PurgeSweep } from './purge/sweep.ts';
import { createTombstones, type Tombstones } from './purge/tombstones.ts';
import { createSourceRecords, type SourceRecords } from './source/source-records.ts';
import {
  type BestEffortStore,
  createBestEffortStore,
  type StoreOperation,
} from './store/best-effort-store.ts';
import { type BreakerStore, createBreakerStore, StoreRefusal } from './store/breaker-store.ts';
import type { VariantStore } from './store/store.ts';

/** What work on images does with the store. */
export interface ImageStore {
  store: BestEffortStore;
  records: SourceRecords;
  tombstones: Tombstones;
  sweep: PurgeSweep;
}

/** The two ways to work with the same store. */
export interface StoreAccess {
  /** For a viewer, who waits: the store may cost a second or two, and nothing while it is known to be down. */
  forViewers: ImageStore;
  /** For all other work, which waits as long as the store itself does. */
  patient: ImageStore;
  /** Errors of the store so far, by operation, that no client saw. */
  faults: () => Readonly<Partial<Record<StoreOperation, number>>>;
  /** The circuit breaker of what viewers do. */
  circuits: Pick<BreakerStore, 'list' | 'refusals'>;
}

export interface StoreAccessOptions {
  /** The store as the logs and metrics name it. */
  name: string;
  log: Logger;
  nowMs: () => number;
  /** The hash of keys. */
  sha256: Sha256;
  /** The hash of whole URLs. */
  hashOfUrl: Sha256;
  /** Invalidates a unit at the CDN, in the background. Must not throw. */
  invalidate: (unit: string) => void;
}

/** Returns the ways to work with a store. */
export function createStoreAccess(store: VariantStore, options: StoreAccessOptions): StoreAccess {
  const { name, log, nowMs, sha256, hashOfUrl, invalidate } = options;
  const { counts, onStoreError } = countStoreErrors(log);

  function createImageStore(variants: VariantStore): ImageStore {
    const bestEffort = createBestEffortStore(variants, onStoreError);
    const tombstones = createTombstones(variants, sha256, nowMs);
    const sweep = { store: variants, tombstones, sha256, nowMs, invalidate, onError: onStoreError };
    return {
      store: bestEffort,
      records: createSourceRecords(bestEffort, nowMs, hashOfUrl),
      tombstones,
      sweep: createPurgeSweep(sweep),
    };
  }

  const patient = createImageStore(store);
  const breaker = createBreakerStore(store, {
    name,
    onChange: logCircuit(log, 'store'),
    // Its caller looked for the tombstone before it took effect, if at all.
    onLateWrite(key) {
      const unit = unitOfKey(key);
      if (unit === undefined) return;
      patient.sweep.sweepUnit(unit).catch((error: unknown) => onStoreError('get', key, error));
    },
  });
  return {
    forViewers: createImageStore(breaker.store),
    patient,
    faults: () => counts,
    circuits: breaker,
  };
}

/** Logs and counts the errors of the store that requests and sweeps survive. */
function countStoreErrors(log: Logger) {
  const counts: Partial<Record<StoreOperation, number>> = {};
  const onStoreError = (operation: StoreOperation, key: string, error: unknown) => {
    // The circuit breaker counts these, and has logged why.
    if (error instanceof StoreRefusal) return;
    counts[operation] = (counts[operation] ?? 0) + 1;
    log.warn({ operation, key, err: error }, 'the store failed; the work went on without it');
  };
  return { counts, onStoreError };
}
