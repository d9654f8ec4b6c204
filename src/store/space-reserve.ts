import { randomBytes } from 'node:crypto';
import { rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Space on the disk that is given back for a write which must not fail: that of a tombstone, without which a purge does not win. */
export interface SpaceReserve {
  /** Takes the space, unless it is taken already, or the disk is nearly full. */
  fill(): void;
  /** Gives the space back. */
  release(): void;
}

/** Enough for some 250 tombstones. What the purge deletes makes room for more. */
const RESERVE_BYTES = 1_048_576;
/** A disk with less than this is nearly full. */
const MIN_FREE_BYTES = 16 * RESERVE_BYTES;

/** @param path - a file that holds the space */
export function createSpaceReserve(path: string): SpaceReserve {
  function release(): void {
    try {
      rmSync(path, { force: true });
    } catch {
      // A disk that can only be read.
    }
  }
  return {
    release,
    fill() {
      try {
        if (statSync(path, { throwIfNoEntry: false })?.size === RESERVE_BYTES) return;
        const { bavail, bsize } = statfsSync(dirname(path));
        // Random bytes: a file system that compresses would keep others in no space at all.
        if (bavail * bsize > MIN_FREE_BYTES) writeFileSync(path, randomBytes(RESERVE_BYTES));
      } catch {
        // Others filled the disk meanwhile. A part of it is as good as nothing.
        release();
      }
    },
  };
}
