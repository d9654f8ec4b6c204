import { type Sha256, STATE_PREFIX, type UnitState, unitStateKey } from '../protocol/keys.ts';
import { VARIANT_METADATA } from '../protocol/metadata.ts';
import { decodeWorkStart, encodeWorkStart } from '../protocol/work-start.ts';
import type { PurgeSweep } from '../purge/sweep.ts';
import type { VariantStore } from '../store/store.ts';
import { encodeKnownVariants, type KnownVariant } from './known-variants.ts';
import { type Manifest, startOfManifest } from './manifest.ts';

/** How the last work on a unit ended: all images ready, some broken, or given up. */
export type UnitResult = Exclude<UnitState, 'pending'>;
const RESULTS: readonly UnitResult[] = ['ready', 'broken', 'failed'];

/** A unit in a listing. */
export interface ListedUnit {
  id: string;
  /** Since when it is in this state, ISO 8601, by the store's clock. */
  since: string;
}

/**
 * The states of units, as marks in the store: an object for each, whose key has the state. So the units of a state are listed without
 * reading them, and a mark costs one put for each time that a unit was worked on. That of a result also says which variants there were then.
 */
export interface UnitStates {
  /** Marks a unit that was sent, and is not in a pack. */
  markPending(manifest: Manifest): Promise<void>;
  /** Removes the mark of a unit that was sent: there is no manifest of it. */
  unmarkPending(unit: string): Promise<void>;
  /** Removes the mark of this submission, or an earlier one: the work on it has ended. */
  endPending(manifest: Manifest): Promise<void>;
  /** Marks how the work on a submission ended, in place of what was marked before. After a purge, it leaves nothing. */
  markResult(manifest: Manifest, result: UnitResult, variants: readonly KnownVariant[]): Promise<void>;
  /** Returns whether it is marked that the work on exactly this submission ended like this. */
  isMarked(manifest: Manifest, result: UnitResult): Promise<boolean>;
  /** Returns whether the work on this submission, or a later one, has ended. */
  hasResult(manifest: Manifest): Promise<boolean>;
  /**
   * Lists marked units by shard and id.
   *
   * @param after - the unit after which the listing starts
   */
  list(state: UnitState, after?: string): AsyncIterable<ListedUnit>;
}

export interface UnitStatesServices {
  store: VariantStore;
  sweep: Pick<PurgeSweep, 'checkTombstone'>;
  sha256: Sha256;
}

const NOTHING: Uint8Array = new Uint8Array();

export function createUnitStates({ store, sweep, sha256 }: UnitStatesServices): UnitStates {
  const keyOf = (state: UnitState, unit: string) => unitStateKey(state, unit, sha256);

  async function mark(state: UnitState, manifest: Manifest, body = NOTHING): Promise<void> {
    const start = encodeWorkStart(startOfManifest(manifest));
    await store.put(keyOf(state, manifest.id), body, {
      contentType: body === NOTHING ? 'text/plain' : 'application/json',
      // As variants have it, so that a purge knows what is older.
      metadata: { [VARIANT_METADATA.startedAt]: start },
    });
  }

  /** Returns when the submission was made that a mark is about, in Unix milliseconds; `undefined` if there is no mark. */
  async function markedMs(state: UnitState, unit: string): Promise<number | undefined> {
    const info = await store.head(keyOf(state, unit));
    return info && (decodeWorkStart(info.metadata[VARIANT_METADATA.startedAt])?.atMs ?? 0);
  }

  async function endPending(manifest: Manifest): Promise<void> {
    const { id } = manifest;
    const pendingMs = await markedMs('pending', id);
    // It may have been sent again meanwhile.
    if (pendingMs !== undefined && pendingMs <= startOfManifest(manifest).atMs)
      await store.delete([keyOf('pending', id)]);
  }

  return {
    endPending,
    markPending: (manifest) => mark('pending', manifest),
    unmarkPending: (unit) => store.delete([keyOf('pending', unit)]),
    async markResult(manifest, result, variants) {
      const { id } = manifest;
      // First: once the result is marked, this is not done again after a crash.
      await store.delete(RESULTS.filter((other) => other !== result).map((other) => keyOf(other, id)));
      await mark(result, manifest, encodeKnownVariants(id, variants, sha256));
      const outcome = await sweep.checkTombstone(id, startOfManifest(manifest), [keyOf(result, id)]);
      if (outcome === 'unknown') throw new Error(`it is unknown whether the unit ${id} was purged meanwhile`);
      await endPending(manifest);
    },
    isMarked: async (manifest, result) =>
      (await markedMs(result, manifest.id)) === startOfManifest(manifest).atMs,
    async hasResult(manifest) {
      const { atMs } = startOfManifest(manifest);
      for (const each of RESULTS) {
        if (((await markedMs(each, manifest.id)) ?? -1) >= atMs) return true;
      }
      return false;
    },
    async *list(state, after) {
      const folder = `${STATE_PREFIX}/${state}`;
      const afterKey = after === undefined ? undefined : keyOf(state, after);
      for await (const { key, modifiedMs } of store.list(folder, afterKey)) {
        const id = key.split('/')[3];
        if (id !== undefined) yield { id, since: new Date(modifiedMs).toISOString() };
      }
    },
  };
}
