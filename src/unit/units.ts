import { createPurge, type PurgeServices, type PurgeUnits } from '../purge/purge.ts';
import { createPurgeClock, keepTime } from '../purge/purge-clock.ts';
import type { PurgeSweep } from '../purge/sweep.ts';
import type { Tombstones } from '../purge/tombstones.ts';
import type { HostSlots } from '../source/host-slots.ts';
import type { WithRetry } from '../source/retry.ts';
import type { SourceFetcher } from '../source/source.ts';
import type { VariantStore } from '../store/store.ts';
import { createReadAsked, type ReadAsked } from './asked.ts';
import { createBoundedFetch, createSemaphore } from './bounded-fetch.ts';
import { createCurrentManifest } from './current-manifest.ts';
import { createGroups } from './groups.ts';
import { createLastAttempts, type LastAttempts } from './last-attempts.ts';
import { createListUnits, type ListUnits } from './list-units.ts';
import { unitOf } from './manifest.ts';
import { createPacks } from './packs.ts';
import { createPrewarm, type Prewarm, type PrewarmServices } from './prewarm.ts';
import { createReadProgress, type ReadProgress } from './progress.ts';
import { createPurgeGroup, type PurgeGroup } from './purge-group.ts';
import { createRebuildMarks, type RebuildMarks } from './rebuild-marks.ts';
import { createReadStatus, type ReadStatus, readManifest, type StatusServices } from './status.ts';
import { createSubmissions, type Submissions } from './submissions.ts';
import { createSubmit, type Submit } from './submit.ts';
import { createSweepPacks } from './sweep-packs.ts';
import type { Unit } from './unit.ts';
import { createUnitParts } from './unit-parts.ts';
import { createUnitResults, type UnitResults } from './unit-results.ts';
import { createUnitStates } from './unit-states.ts';
import { createReadUnsent, type ReadUnsent } from './unsent.ts';
import { createUpgrade, type Upgrade } from './upgrade.ts';
import { createWatchUnits, type LookAtUnit, type WatchUnits } from './watch.ts';

/** All operations on data units. */
export interface Units extends Submit {
  /** Takes up submissions that were cut off; see {@link Submissions}. */
  takeUpSubmissions: Submissions['takeUp'];
  /**
   * Makes the missing variants of a unit. Calls `onOutcome` for each image, in the order of the manifest. A broken source is an
   * outcome and not an error; a unit that was purged since has no outcomes.
   *
   * @throws the error of the store, once every image has been tried
   */
  prewarm: Prewarm;
  /** Records what became of units; see {@link UnitResults}. */
  results: UnitResults;
  /** Notes the jobs that are tried for the last time; see {@link LastAttempts}. */
  lastAttempts: LastAttempts;
  /** Returns a page of the units that are in a state. */
  list: ListUnits;
  /** Marks the units of earlier versions, so that they are listed. */
  rebuildMarks: RebuildMarks;
  /** Makes one variant again at effort `best`; see {@link Upgrade}. */
  upgrade: Upgrade;
  /** Returns the state of a unit; `undefined` when there is no manifest of it. */
  status: ReadStatus;
  /** Returns how far the work on the last submission of a unit is, for whoever follows it. */
  progress: ReadProgress;
  /** Returns the same for whoever looks at it: an image is ready as soon as it can be seen, although it may be made again. */
  look: LookAtUnit;
  /** Follows units; see {@link WatchUnits}. */
  watch: WatchUnits;
  /** Returns a unit as it was submitted last; `undefined` when there is no manifest of it, or one that cannot be read. */
  submitted: (id: string) => Promise<Unit | undefined>;
  /** Returns what viewers asked for of a unit against what prewarm makes. */
  asked: ReadAsked;
  /** Returns what the store has of a unit without a manifest, which viewers have asked for. */
  unsent: ReadUnsent;
  /** Removes units from the store, then invalidates them at the CDN. */
  purge: PurgeUnits;
  /** Removes all units of a group from the store, then invalidates the group at the CDN. */
  purgeGroup: PurgeGroup;
  /** Removes what a process that died has left of purged units; see {@link PurgeSweep}. */
  sweep: PurgeSweep['sweep'];
  /** Removes packs that are not needed any more. To be called once submissions have been taken up, whose jobs are in packs. */
  sweepPacks(signal?: AbortSignal): Promise<void>;
}

export type UnitDependencies = Omit<PrewarmServices, 'createFetch' | 'manifests'> &
  Omit<StatusServices, 'manifests'> &
  PurgeServices & {
    store: VariantStore;
    tombstones: Tombstones;
    sweep: PurgeSweep;
    source: SourceFetcher;
    /** Retries the fetches of sources, and limits their rate per host. */
    withRetry: WithRetry;
    /** Bounds the fetches from one host, of all processes. */
    hostSlots: HostSlots;
    /** The most sources that prewarm and upgrade have in memory. */
    maxSourcesInMemory: number;
  };

export function createUnits(services: UnitDependencies): Units {
  const { store, sha256, tombstones, sweep, nowMs, source, withRetry, hostSlots, maxSourcesInMemory } =
    services;
  const semaphore = createSemaphore(maxSourcesInMemory);
  const createFetch = () => createBoundedFetch({ source, withRetry, hostSlots, semaphore });
  const clock = createPurgeClock(store, nowMs);
  const packs = createPacks(store, sha256);
  const submissions = createSubmissions(store, packs, nowMs);
  const groups = createGroups(store, sha256, nowMs);
  const manifests = createCurrentManifest({ store, packs, tombstones, sweep, sha256 });
  const purge = createPurge({ ...services, tombstones: keepTime(tombstones, clock) });
  const states = createUnitStates({ store, sweep, sha256 });
  const readStatus = createReadStatus({ ...services, manifests });
  return {
    ...createSubmit({ store, packs, groups, tombstones, clock, sweep, submissions, states, sha256, nowMs }),
    takeUpSubmissions: submissions.takeUp,
    prewarm: createPrewarm({ ...services, manifests, createFetch }),
    results: createUnitResults({ states, manifests, parts: createUnitParts(store, sha256) }),
    lastAttempts: createLastAttempts({ store, manifests, states, nowMs }),
    list: createListUnits({ states, packs, manifests }),
    rebuildMarks: createRebuildMarks({ store, states, manifests, readStatus, sweep }),
    upgrade: createUpgrade({ ...services, createFetch }),
    status: readStatus,
    progress: createReadProgress({ ...services, manifests, states }),
    ...createWatchUnits({ ...services, manifests, states }),
    async submitted(id) {
      const manifest = await readManifest({ ...services, manifests }, id);
      return manifest && unitOf(manifest);
    },
    asked: createReadAsked({ ...services, manifests }),
    unsent: createReadUnsent(services),
    purge,
    purgeGroup: createPurgeGroup({ store, groups, manifests, purge, cdn: services.cdn, sha256, nowMs }),
    sweep: sweep.sweep,
    sweepPacks: createSweepPacks({ packs, manifests, states, nowMs }),
  };
}
