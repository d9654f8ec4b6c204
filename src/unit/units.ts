import type { Job } from '../queue/queue.ts';
import type { VariantStore } from '../store/store.ts';
import { unitAddress } from '../variant/key.ts';
import { encodeManifest } from './manifest.ts';
import { createPrewarm, type Prewarm, type PrewarmServices } from './prewarm.ts';
import { createPurge, type PurgeServices, type PurgeUnits } from './purge.ts';
import type { PurgeSweep } from './purge-sweep.ts';
import { createReadStatus, type ReadStatus, type StatusServices } from './status.ts';
import type { Unit } from './unit.ts';

/** All that can be done with data units. */
export interface Units {
  /**
   * Keeps a unit's manifest in place of the one before. When it returns, the unit outlives this process.
   *
   * @param options.retry - whether the job is to try again what is remembered as broken
   * @returns the job that prewarms it
   */
  accept(unit: Unit, options: { retry: boolean }): Promise<Job>;
  /**
   * Makes what is missing of a unit, and says how it went with each image, in the order of the manifest. A broken source is an
   * outcome, not a failure; a unit that was purged since has none.
   *
   * @throws the store's fault, once every image has been tried
   */
  prewarm: Prewarm;
  /** What is known of a unit, or `undefined`: there is no manifest of it. */
  status: ReadStatus;
  /** Removes all of these units from the store, then asks the CDN to forget them. */
  purge: PurgeUnits;
  /** Removes what work that died left behind of units that were purged; see {@link PurgeSweep}. */
  sweep(): Promise<void>;
}

export type UnitDependencies = PrewarmServices &
  StatusServices &
  PurgeServices & { store: VariantStore; sweep: PurgeSweep };

export function createUnits(services: UnitDependencies): Units {
  const { store, sha256, sweep, nowMs } = services;
  return {
    async accept(unit, { retry }) {
      const beganMs = nowMs();
      const { manifestKey } = unitAddress(unit.id, sha256);
      await store.put(manifestKey, encodeManifest(unit, beganMs), { contentType: 'application/json' });
      await sweep.afterPut(unit.id, beganMs, [manifestKey]);
      return { unit: unit.id, images: unit.images.length, retry };
    },
    prewarm: createPrewarm(services),
    status: createReadStatus(services),
    purge: createPurge(services),
    sweep: () => sweep.sweep(),
  };
}
