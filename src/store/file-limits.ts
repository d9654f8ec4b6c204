import { statfsSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../backoff.ts';
import { removeFile } from './atomic-write.ts';
import { createFileAges, type FileAges } from './file-ages.ts';
import type { FileJournal } from './file-journal.ts';
import { type FileKind, PLACES, placeOf, USE_STEP_MS, type WalkedFile, walkPlace } from './file-walk.ts';
import type { StoreUpkeep } from './store.ts';

export interface FileLimits {
  /** What all files may take on the disk. */
  maxBytes?: number | undefined;
  /** How long a variant may not be used, in milliseconds. */
  maxAgeMs?: number | undefined;
}

export interface FileUpkeepOptions extends FileLimits {
  root: string;
  journal: FileJournal;
  /** Called every few seconds. */
  onTick?: () => void;
  /** Unix milliseconds, by the clock that sets the times of files. */
  nowMs?: () => number;
  /** The time from the begin of one walk to that of the next, in milliseconds. Default: ten minutes. */
  intervalMs?: number;
  /** How often to look whether there is too much, in milliseconds. Default: 5,000. */
  tickMs?: number;
}

/** Files are removed once there is more than the first share of the limit, until there is no more than the second. */
const REMOVE_ABOVE = 0.95;
const REMOVE_TO = 0.9;
const INTERVAL_MS = 10 * 60 * 1000;
const TICK_MS = 5000;
/** The share of one core that a walk takes; and while files have to be removed, or it is not yet known how many there are. */
const CALM_SHARE = 0.02;
const BUSY_SHARE = 0.25;
/** The longest stretch of work before others get their turn: hits are answered by the same thread. */
const SLICE_MS = 1;
/** What counts of a longer one: the disk is slow, or others have the processor, or the machine was suspended. Then a walk must not starve. */
const MAX_COUNTED_MS = 10;
const HOUR_MS = 3_600_000;
/** Younger ones stay even if there is too much: a unit may still wait on the queue, and work that began before a purge may still run. */
const MIN_AGE_MS: Record<FileKind, number> = {
  image: 0,
  manifest: 24 * HOUR_MS,
  tombstone: HOUR_MS,
  kept: Number.POSITIVE_INFINITY,
};
/**
 * Keeps a folder within its limits: walks over it, place by place, again and again, and removes what was not used for longest. It works in
 * slices of a millisecond and takes a bounded share of one core. In memory it has counts only; after a restart it counts again.
 *
 * Which files go is decided by the ages of all files, as the last walk found them. Images and source records go first; manifests whose unit
 * has nothing else left, and tombstones, only if that is not enough.
 */
export function createFileUpkeep(options: FileUpkeepOptions): StoreUpkeep {
  const { root, journal, onTick = () => {}, maxBytes = Number.POSITIVE_INFINITY } = options;
  const { maxAgeMs = Number.POSITIVE_INFINITY, nowMs = Date.now } = options;
  const { intervalMs = INTERVAL_MS, tickMs = TICK_MS } = options;
  const totals = createTotals();
  const removed = { size: { objects: 0, bytes: 0 }, age: { objects: 0, bytes: 0 } };
  /** The ages of files, of the last walk that was completed and of the one in progress. */
  let lastAges: KindAges | undefined;
  let ages = createKindAges(nowMs());
  /** The files to remove are those last used at this time or before, by kind. `undefined`: none have to be. */
  let cutoffs: Cutoffs | undefined;

  /** Learns what was stored and removed meanwhile, and decides whether files have to be removed. */
  function look(): void {
    for (const { place, files, bytes } of journal.read()) totals.add(place, files, bytes);
    const excess = totals.all.bytes - maxBytes * REMOVE_TO;
    if (excess <= 0) cutoffs = undefined;
    // Before the first walk has been completed, the ages of most files are not known.
    else if (totals.all.bytes > maxBytes * REMOVE_ABOVE && lastAges) cutoffs ??= cutoffsFor(lastAges, excess);
    onTick();
  }

  function reasonToRemove({ kind, usedMs, isLastOfUnit }: WalkedFile): 'age' | 'size' | undefined {
    const ageMs = nowMs() - usedMs;
    if (kind === 'kept' || (kind === 'manifest' && !isLastOfUnit)) return undefined;
    if (kind !== 'tombstone' && ageMs > maxAgeMs + USE_STEP_MS) return 'age';
    if (cutoffs === undefined || usedMs > cutoffs[kind] || ageMs < MIN_AGE_MS[kind]) return undefined;
    return 'size';
  }

  async function remove(reason: 'age' | 'size', { key, bytes }: WalkedFile): Promise<void> {
    await removeFile(join(root, key));
    totals.add(placeOf(key), -1, -bytes);
    journal.tell(placeOf(key), -1, -bytes);
    removed[reason].objects += 1;
    removed[reason].bytes += bytes;
    if (totals.all.bytes <= maxBytes * REMOVE_TO) cutoffs = undefined;
  }

  async function walkOnce(pace: () => Promise<void>, onError: (error: unknown) => void): Promise<void> {
    ages = createKindAges(nowMs());
    for (const place of PLACES) {
      look();
      const left = { files: 0, bytes: 0 };
      const visit = (file: WalkedFile) => {
        const reason = reasonToRemove(file);
        if (reason) return remove(reason, file);
        left.files += 1;
        left.bytes += file.bytes;
        if (file.kind !== 'kept') ages[file.kind].add(file.usedMs, file.bytes);
        return undefined;
      };
      try {
        await walkPlace(place, { root, visit, pace });
        totals.set(place, left);
      } catch (error) {
        onError(error);
      }
    }
    lastAges = ages;
    cutoffs = undefined;
    look();
  }

  return {
    async run(signal, onError) {
      const share = () => (cutoffs || !lastAges ? BUSY_SHARE : CALM_SHARE);
      const pace = createPacer({ share, signal, onTick: look, tickMs });
      while (!signal.aborted) {
        const startMs = performance.now();
        const hadToRemove = cutoffs !== undefined;
        const removedBefore = removed.size.objects;
        await walkOnce(pace, (error) => signal.aborted || onError(error));
        // If nothing could be removed, walking on at once would not help.
        const isUseless = hadToRemove && removed.size.objects === removedBefore;
        while (!signal.aborted && performance.now() - startMs < intervalMs && (!cutoffs || isUseless)) {
          await sleep(tickMs, signal);
          look();
        }
      }
    },
    usage: () => lastAges && { objects: totals.all.files, bytes: totals.all.bytes },
    removed: () => removed,
    maxBytes: options.maxBytes,
    freeBytes() {
      const { bavail, bsize } = statfsSync(root);
      return bavail * bsize;
    },
  };
}

type Removable = Exclude<FileKind, 'kept'>;
type KindAges = Record<Removable, FileAges>;
type Cutoffs = Record<Removable, number>;

function createKindAges(nowMs: number): KindAges {
  return {
    image: createFileAges(nowMs),
    manifest: createFileAges(nowMs),
    tombstone: createFileAges(nowMs),
  };
}

/** @param excess - how many bytes to remove: manifests only if all images are not enough, tombstones only if all of both are not */
function cutoffsFor({ image, manifest, tombstone }: KindAges, excess: number): Cutoffs {
  const left = excess - image.bytes();
  return {
    image: image.cutoff(excess),
    manifest: manifest.cutoff(left),
    tombstone: tombstone.cutoff(left - manifest.bytes()),
  };
}

/** The files of each place, and of all. */
function createTotals() {
  const places = new Map<string, { files: number; bytes: number }>();
  const all = { files: 0, bytes: 0 };
  function add(place: string, files: number, bytes: number): void {
    const total = places.get(place) ?? { files: 0, bytes: 0 };
    total.files += files;
    total.bytes += bytes;
    places.set(place, total);
    all.files += files;
    all.bytes += bytes;
  }
  return {
    all: all as Readonly<typeof all>,
    add,
    set(place: string, { files, bytes }: { files: number; bytes: number }): void {
      const before = places.get(place) ?? { files: 0, bytes: 0 };
      add(place, files - before.files, bytes - before.bytes);
    },
  };
}

interface PacerOptions {
  /** The share of the time to work, from 0 to 1. */
  share: () => number;
  signal: AbortSignal;
  onTick: () => void;
  tickMs: number;
}

/** Returns a function to be awaited at each step of a loop of file calls. It throws once the signal has aborted. */
function createPacer({ share, signal, onTick, tickMs }: PacerOptions): () => Promise<void> {
  let sliceStartMs = performance.now();
  let lastTickMs = sliceStartMs;
  return async () => {
    const workedMs = performance.now() - sliceStartMs;
    if (workedMs < SLICE_MS) return;
    await sleep(Math.min(workedMs, MAX_COUNTED_MS) * (1 / share() - 1), signal);
    signal.throwIfAborted();
    sliceStartMs = performance.now();
    if (sliceStartMs - lastTickMs < tickMs) return;
    lastTickMs = sliceStartMs;
    onTick();
  };
}
