import { unitAddress } from '../protocol/keys.ts';
import { createPurge, type PurgeServices, type PurgeUnits } from '../purge/purge.ts';
import type { PurgeSweep } from '../purge/sweep.ts';
import type { Tombstones } from '../purge/tombstones.ts';
import type { Job } from '../queue/queue.ts';
import type { WithRetry } from '../source/retry.ts';
import type { SourceFetcher } from '../source/source.ts';
import type { VariantStore } from '../store/store.ts';
import { createBoundedFetch, createSemaphore } from './bounded-fetch.ts';
import { encodeManifest } from './manifest.ts';
import { createPrewarm, type Prewarm, type PrewarmServices } from './prewarm.ts';
import { createReadStatus, type ReadStatus, type StatusServices } from './status.ts';
import { createSubmissions, type Submissions } from './submissions.ts';
import type { Unit } from './unit.ts';
import { createUpgrade, type Upgrade } from './upgrade.ts';

/** All operations on data units. */
export interface Units {
  /**
   * Stores the manifest of a unit, in place of an earlier one. When it resolves, the unit survives the end of this process, unless it
   * was purged meanwhile.
   *
   * @param options.retry - whether the job is to try sources again that are recorded as broken
   * @returns the job that prewarms the unit; the caller sends it to the queue, or does it
   * @throws the error of the store; then the unit has to be submitted again
   */
  submit(unit: Unit, options: { retry: boolean }): Promise<Job>;
  /** Notes a batch of units before it is submitted, so that it can be taken up if it is cut off; see {@link Submissions}. */
  beginSubmission: Submissions['begin'];
  /** Takes up submissions that were cut off; see {@link Submissions}. */
  takeUpSubmissions: Submissions['takeUp'];
  /**
   * Makes the missing variants of a unit. Calls `onOutcome` for each image, in the order of the manifest. A broken source is an
   * outcome and not an error; a unit that was purged since has no outcomes.
   *
   * @throws the error of the store, once every image has been tried
   */
  prewarm: Prewarm;
  /** Makes one variant again at effort `best`; see {@link Upgrade}. */
  upgrade: Upgrade;
  /** Returns the state of a unit; `undefined` when there is no manifest of it. */
  status: ReadStatus;
  /** Removes units from the store, then invalidates them at the CDN. */
  purge: PurgeUnits;
  /** Removes what a process that died has left of purged units; see {@link PurgeSweep}. */
  sweep(signal?: AbortSignal): Promise<void>;
}

export type UnitDependencies = Omit<PrewarmServices, 'createFetch'> &
  StatusServices &
  PurgeServices & {
    store: VariantStore;
    tombstones: Tombstones;
    sweep: PurgeSweep;
    source: SourceFetcher;
    /** Retries the fetches of sources, and limits their rate per host. */
    withRetry: WithRetry;
    /** The most sources that prewarm and upgrade have in memory. */
    maxSourcesInMemory: number;
  };

export function createUnits(services: UnitDependencies): Units {
  const { store, sha256, tombstones, sweep, nowMs, source, withRetry, maxSourcesInMemory } = services;
  const semaphore = createSemaphore(maxSourcesInMemory);
  const createFetch = () => createBoundedFetch(source, withRetry, semaphore);
  const submissions = createSubmissions(store, nowMs);
  return {
    async submit(unit, { retry }) {
      const { manifestKey } = unitAddress(unit.id, sha256);
      const atMs = nowMs();
      const start = { atMs, lastPurgeMs: (await tombstones.read(unit.id)) ?? 0 };
      await store.put(manifestKey, encodeManifest(unit, start), { contentType: 'application/json' });
      // If the tombstone cannot be read, the manifest stays: prewarm sweeps the unit before it reads the manifest.
      if ((await sweep.checkTombstone(unit.id, start, [])) === 'unknown')
        throw new Error(`it is unknown whether the unit ${unit.id} was purged meanwhile`);
      return { unit: unit.id, images: unit.images.length, retry };
    },
    beginSubmission: submissions.begin,
    takeUpSubmissions: submissions.takeUp,
    prewarm: createPrewarm({ ...services, createFetch }),
    upgrade: createUpgrade({ ...services, createFetch }),
    status: createReadStatus(services),
    purge: createPurge(services),
    sweep: (signal) => sweep.sweep(signal),
  };
}
