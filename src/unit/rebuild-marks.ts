import pMap from 'p-map';
import {
  MANIFEST_NAME,
  SHARDS,
  STATE_PREFIX,
  UNIT_STATES,
  unitOfKey,
  VARIANT_PREFIX,
} from '../protocol/keys.ts';
import type { PurgeSweep } from '../purge/sweep.ts';
import type { VariantStore } from '../store/store.ts';
import type { CurrentManifest } from './current-manifest.ts';
import { type Manifest, startOfManifest, UnreadableManifest } from './manifest.ts';
import type { ReadStatus, UnitStatus } from './status.ts';
import type { UnitResult, UnitStates } from './unit-states.ts';

/** What became of the units that were looked at. */
export interface RebuiltMarks {
  /** Units that have a manifest. */
  units: number;
  /** Those that had no mark and have one now, by its state. */
  marked: Record<'pending' | 'ready' | 'broken', number>;
}

/**
 * Marks the units that have a manifest and no mark: those that only earlier versions have worked on. Their state is what the store has of them
 * now. To call it again is safe, and marks what is left.
 *
 * @param onShard - called after each of the 256 shards
 * @param signal - once it aborts, no further unit is looked at
 * @throws the error of the store
 */
export type RebuildMarks = (
  onShard: (done: number, rebuilt: Readonly<RebuiltMarks>) => void,
  signal: AbortSignal,
) => Promise<RebuiltMarks>;

export interface RebuildMarksServices {
  store: Pick<VariantStore, 'list'>;
  states: Pick<UnitStates, 'hasResult' | 'markPending' | 'markResult' | 'endPending'>;
  manifests: Pick<CurrentManifest, 'read'>;
  readStatus: ReadStatus;
  sweep: Pick<PurgeSweep, 'checkTombstone'>;
}

/** As few as leave a store that serves viewers alone. */
const UNIT_CONCURRENCY = 16;

export function createRebuildMarks({
  store,
  states,
  manifests,
  readStatus,
  sweep,
}: RebuildMarksServices): RebuildMarks {
  /** Returns the units of a shard that have a mark. */
  async function markedIn(shard: string): Promise<ReadonlySet<string>> {
    const marked = new Set<string>();
    for (const state of UNIT_STATES) {
      for await (const { key } of store.list(`${STATE_PREFIX}/${state}/${shard}`))
        marked.add(key.split('/')[3] ?? '');
    }
    return marked;
  }

  /** Returns the units of a shard that have a manifest. */
  async function* unitsIn(shard: string): AsyncGenerator<string> {
    for await (const { key } of store.list(`${VARIANT_PREFIX}/${shard}`)) {
      const unit = key.endsWith(`/${MANIFEST_NAME}`) ? unitOfKey(key) : undefined;
      if (unit !== undefined) yield unit;
    }
  }

  /** Marks a unit as what the store has of it. Returns `undefined` if that is for others: it is worked on, or was purged. */
  async function markUnit(unit: string): Promise<keyof RebuiltMarks['marked'] | undefined> {
    const status = await readStatus(unit);
    const manifest = status && (await readManifest(unit));
    if (!manifest || (await states.hasResult(manifest))) return undefined;
    const state = stateOf(status);
    if (state === 'pending') return (await markPending(manifest)) ? state : undefined;
    await states.markResult(manifest, state, []);
    return state;
  }

  /** Returns whether the unit is still there: no work would ever remove the mark of one that was purged meanwhile. */
  async function markPending(manifest: Manifest): Promise<boolean> {
    await states.markPending(manifest);
    // The work on it may have ended meanwhile.
    if (await states.hasResult(manifest)) await states.endPending(manifest);
    const { id } = manifest;
    const outcome = await sweep.checkTombstone(id, startOfManifest(manifest), []);
    if (outcome === 'unknown') throw new Error(`it is unknown whether the unit ${id} was purged meanwhile`);
    return outcome === 'kept';
  }

  async function readManifest(unit: string) {
    try {
      return await manifests.read(unit);
    } catch (error) {
      if (error instanceof UnreadableManifest) return undefined;
      throw error;
    }
  }

  return async (onShard, signal) => {
    const rebuilt: RebuiltMarks = { units: 0, marked: { pending: 0, ready: 0, broken: 0 } };
    for (let index = 0; index < SHARDS; index++) {
      const shard = index.toString(16).padStart(2, '0');
      const marked = await markedIn(shard);
      await pMap(
        unitsIn(shard),
        async (unit) => {
          if (signal.aborted) return;
          rebuilt.units++;
          const state = marked.has(unit) ? undefined : await markUnit(unit);
          if (state) rebuilt.marked[state]++;
        },
        { concurrency: UNIT_CONCURRENCY },
      );
      if (signal.aborted) break;
      onShard(index + 1, rebuilt);
    }
    return rebuilt;
  };
}

function stateOf({ totals }: UnitStatus): 'pending' | Exclude<UnitResult, 'failed'> {
  if (totals.pending > 0) return 'pending';
  return totals.broken > 0 ? 'broken' : 'ready';
}
