import pMap from 'p-map';
import type { CurrentManifest } from './current-manifest.ts';
import type { PackedManifest, Packs } from './packs.ts';
import type { UnitStates } from './unit-states.ts';

export interface SweepPacksServices {
  packs: Packs;
  manifests: Pick<CurrentManifest, 'isOutdated' | 'unpack'>;
  states: Pick<UnitStates, 'hasResult' | 'markPending'>;
  nowMs: () => number;
}

/**
 * The age at which what is left of a pack is put into the folders of its units. Tombstones are kept for 15 days: a purged unit in a pack that
 * is older than that would be back.
 */
const MAX_AGE_MS = 24 * 60 * 60 * 1000;
/** Jobs are done in about the order of their packs: after so many that are needed, none is looked at. */
const MAX_NEEDED = 10;
const LOOKUP_CONCURRENCY = 32;

/**
 * Returns a function that removes the packs of which no manifest is needed any more. Once its signal aborts, it looks at no further pack.
 *
 * @throws the error of the store
 */
export function createSweepPacks({
  packs,
  manifests,
  states,
  nowMs,
}: SweepPacksServices): (signal?: AbortSignal) => Promise<void> {
  /** Until its work has ended, a unit is listed as pending because of its pack. */
  async function isDone(packed: PackedManifest): Promise<boolean> {
    if (!(await states.hasResult(packed.manifest))) return await manifests.isOutdated(packed);
    // A job may be given up before its work began, and clocks may differ: then the manifest is only here.
    await manifests.unpack(packed);
    return true;
  }

  async function unpack(packed: PackedManifest): Promise<void> {
    const manifest = await manifests.unpack(packed);
    if (manifest) await states.markPending(manifest);
  }

  /** Returns whether no manifest of the pack is needed. */
  async function clear(key: string, isOld: boolean): Promise<boolean> {
    let isNeeded = false;
    // The last ones are worked on last: that a pack is needed shows with the first of them.
    const lastFirst = (await packs.readAll(key)).reverse();
    await pMap(
      lastFirst,
      async (packed) => {
        if (isNeeded || (await isDone(packed))) return;
        if (isOld) await unpack(packed);
        else isNeeded = true;
      },
      { concurrency: LOOKUP_CONCURRENCY },
    );
    return !isNeeded;
  }

  return async (signal) => {
    let needed = 0;
    for await (const { key, storedMs } of packs.list()) {
      if (signal?.aborted || needed === MAX_NEEDED) return;
      // Either way: a clock may have been put back.
      const isOld = Math.abs(nowMs() - storedMs) > MAX_AGE_MS;
      if (await clear(key, isOld)) await packs.remove(key);
      else needed++;
    }
  };
}
