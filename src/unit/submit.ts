import { type Sha256, unitAddress } from '../protocol/keys.ts';
import type { PurgeClock } from '../purge/purge-clock.ts';
import type { PurgeSweep } from '../purge/sweep.ts';
import type { Tombstones } from '../purge/tombstones.ts';
import type { Job } from '../queue/queue.ts';
import type { VariantStore } from '../store/store.ts';
import { clientOf } from './client-of.ts';
import type { Groups } from './groups.ts';
import { encodeManifest, type Manifest, manifestOf, startOfManifest } from './manifest.ts';
import { divideIntoPacks, type Packs } from './packs.ts';
import type { Submissions } from './submissions.ts';
import type { Unit } from './unit.ts';
import type { UnitStates } from './unit-states.ts';

/** Stores the manifests of units. */
export interface Submit {
  /**
   * Stores the manifest of a unit, in place of an earlier one. When it resolves, the unit survives the end of this process, unless it
   * was purged meanwhile.
   *
   * @param options.retry - whether the job is to try sources again that are recorded as broken
   * @returns the job that prewarms the unit; the caller sends it to the queue, or does it
   * @throws the error of the store; then the unit has to be submitted again
   */
  submit(unit: Unit, options: { retry: boolean }): Promise<Job>;
  /**
   * Does the same for different units, with one put for up to a thousand of them. What is cut off before the jobs are on the queue is
   * taken up later; see {@link Submissions}.
   *
   * @throws the error of the store, if none could be submitted
   */
  submitBatch(units: readonly Unit[], options: { retry: boolean }): Promise<SubmittedBatch>;
}

export interface SubmittedBatch {
  /** To be sent to the queue. */
  jobs: readonly Job[];
  /** Why some units could not be submitted. */
  error: unknown;
  /** To be called once the jobs are on the queue, if there was no error. Never throws. */
  forget(): Promise<void>;
}

export interface SubmitServices {
  store: VariantStore;
  packs: Packs;
  groups: Pick<Groups, 'add'>;
  tombstones: Pick<Tombstones, 'read'>;
  clock: Pick<PurgeClock, 'read'>;
  sweep: Pick<PurgeSweep, 'checkTombstone'>;
  submissions: Pick<Submissions, 'begin'>;
  states: Pick<UnitStates, 'markPending'>;
  sha256: Sha256;
  nowMs: () => number;
}

/** Fewer units are stored each in its folder: packs of a few, in their thousands, would make every lookup of a unit slow. */
const MIN_PACKED_UNITS = 32;

export function createSubmit(services: SubmitServices): Submit {
  const { store, packs, groups, tombstones, clock, sweep, submissions, states, sha256, nowMs } = services;

  /** @param isQueued - whether the unit is listed as pending from now on */
  async function submit(
    unit: Unit,
    { retry, isQueued }: { retry: boolean; isQueued: boolean },
  ): Promise<Job> {
    const atMs = nowMs();
    const manifest = manifestOf(unit, { atMs, lastPurgeMs: (await tombstones.read(unit.id)) ?? 0 });
    const key = unitAddress(unit.id, sha256).manifestKey;
    await groups.add([unit]);
    await store.put(key, encodeManifest(manifest), { contentType: 'application/json' });
    // After the manifest: no work would ever end a submission that has none. Before the check, which so sees a purge since then.
    if (isQueued) await states.markPending(manifest);
    // If the tombstone cannot be read, the manifest stays: prewarm sweeps the unit before it reads the manifest.
    if ((await sweep.checkTombstone(unit.id, startOfManifest(manifest), [])) === 'unknown')
      throw new Error(`it is unknown whether the unit ${unit.id} was purged meanwhile`);
    return { unit: unit.id, images: unit.images.length, retry, client: clientOf(unit) };
  }

  async function submitEach(units: readonly Unit[], options: { retry: boolean }): Promise<SubmittedBatch> {
    const { retry } = options;
    const noted = units.map((unit) => ({
      ...{ unit: unit.id, images: unit.images.length, retry },
      client: clientOf(unit),
    }));
    const forget = await submissions.begin({ jobs: noted });
    const results = await Promise.allSettled(
      units.map((unit) => submit(unit, { ...options, isQueued: true })),
    );
    return {
      jobs: results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : [])),
      error: results.find((result) => result.status === 'rejected')?.reason,
      forget,
    };
  }

  async function submitPacked(
    units: readonly Unit[],
    { retry }: { retry: boolean },
  ): Promise<SubmittedBatch> {
    const start = { atMs: nowMs(), lastPurgeMs: undefined };
    // Instead of the tombstones of all units. What is purged after this is removed, whenever that is noticed.
    const purgesSeen = new Date(await clock.read()).toISOString();
    const manifests = units.map((unit): Manifest => ({ ...manifestOf(unit, start), purgesSeen }));
    const parts = divideIntoPacks(manifests).map((part) => ({ key: packs.newKey(nowMs()), part }));
    const forget = await submissions.begin({ packs: parts.map(({ key }) => key), retry });
    await groups.add(units);
    await Promise.all(parts.map(({ key, part }) => packs.put(key, part)));
    const jobs = parts.flatMap(({ key, part }) =>
      part.map((manifest) => ({
        ...{ unit: manifest.id, images: manifest.images.length, retry },
        ...{ pack: key, client: clientOf(manifest) },
      })),
    );
    return { jobs, error: undefined, forget };
  }

  return {
    submit: (unit, options) => submit(unit, { ...options, isQueued: false }),
    submitBatch: async (units, options) =>
      await (units.length < MIN_PACKED_UNITS ? submitEach(units, options) : submitPacked(units, options)),
  };
}
