import { unitAddress } from '../protocol/keys.ts';
import { createPurge, type PurgeServices, type PurgeUnits } from '../purge/purge.ts';
import type { PurgeSweep } from '../purge/sweep.ts';
import type { Tombstones } from '../purge/tombstones.ts';
import type { Job } from '../queue/queue.ts';
import type { WithRetry } from '../source/retry.ts';
import type { SourceFetcher } from '../source/source.ts';
import type { VariantStore } from '../store/store.ts';
import { createRetryingFetches, createSemaphore } from './bounded-fetch.ts';
import { encodeManifest } from './manifest.ts';
import { createPrewarm, type Prewarm, type PrewarmServices } from './prewarm.ts';
import { createReadStatus, type ReadStatus, type StatusServices } from './status.ts';
import type { Unit } from './unit.ts';
import { createUpgrade, type Upgrade } from './upgrade.ts';

/** All that can be done with data units. */
export interface Units {
  /**
   * Keeps a unit's manifest in place of the one before. When it returns, the unit outlives this process, unless it was purged
   * meanwhile.
   *
   * @param options.retry - whether the job is to try again what is remembered as broken
   * @returns the job that prewarms it
   * @throws the store's fault: then the unit has to be sent again
   */
  accept(unit: Unit, options: { retry: boolean }): Promise<Job>;
  /**
   * Makes what is missing of a unit, and says how it went with each image, in the order of the manifest. A broken source is an
   * outcome, not a failure; a unit that was purged since has none.
   *
   * @throws the store's fault, once every image has been tried
   */
  prewarm: Prewarm;
  /** Makes one variant anew that was made quickly; see {@link Upgrade}. */
  upgrade: Upgrade;
  /** What is known of a unit, or `undefined`: there is no manifest of it. */
  status: ReadStatus;
  /** Removes all of these units from the store, then asks the CDN to forget them. */
  purge: PurgeUnits;
  /** Removes what work that died left behind of units that were purged; see {@link PurgeSweep}. */
  sweep(signal?: AbortSignal): Promise<void>;
}

export type UnitDependencies = Omit<PrewarmServices, 'fetches'> &
  StatusServices &
  PurgeServices & {
    store: VariantStore;
    tombstones: Tombstones;
    sweep: PurgeSweep;
    source: SourceFetcher;
    /** How sources are fetched here. */
    persist: WithRetry;
    /** How many sources may be in memory at once. */
    sourcesAtOnce: number;
  };

export function createUnits(services: UnitDependencies): Units {
  const { store, sha256, tombstones, sweep, nowMs, source, persist, sourcesAtOnce } = services;
  const fetches = createRetryingFetches(source, persist, createSemaphore(sourcesAtOnce));
  return {
    async accept(unit, { retry }) {
      const { manifestKey } = unitAddress(unit.id, sha256);
      const startMs = nowMs();
      const markMs = await tombstones.read(unit.id);
      // A mark of the future was made by a clock that is ahead, before this.
      const startedAtMs = markMs !== undefined && markMs >= nowMs() ? markMs + 1 : startMs;
      await store.put(manifestKey, encodeManifest(unit, startedAtMs), { contentType: 'application/json' });
      // It stays: what cannot be known now is known when its job is done.
      if ((await sweep.checkTombstone(unit.id, startedAtMs, [])) === 'unknown')
        throw new Error(`it cannot be known whether the unit ${unit.id} was purged meanwhile`);
      return { unit: unit.id, images: unit.images.length, retry };
    },
    prewarm: createPrewarm({ ...services, fetches }),
    upgrade: createUpgrade({ ...services, fetches }),
    status: createReadStatus(services),
    purge: createPurge(services),
    sweep: (signal) => sweep.sweep(signal),
  };
}
