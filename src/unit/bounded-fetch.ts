import PQueue from 'p-queue';
import type { HostSlots } from '../source/host-slots.ts';
import type { WithRetry } from '../source/retry.ts';
import type { SourceFetcher } from '../source/source.ts';

/** The fetch of one source for bulk work, which holds a permit of a semaphore while the source is in memory. */
export interface BoundedFetch {
  /** Fetches the source, with retries. Acquires a permit for each attempt, and keeps that of the attempt that succeeds. */
  fetch: SourceFetcher['fetch'];
  /** Releases the permit, if there is one: the source is no longer in memory. May be called more than once. */
  release(): void;
}

export interface BoundedFetchServices {
  source: Pick<SourceFetcher, 'fetch'>;
  withRetry: WithRetry;
  /** Bounds the fetches from one host, of all processes. */
  hostSlots: HostSlots;
  /** Bounds how many sources are in memory. */
  semaphore: Semaphore;
}

/**
 * Returns the fetch of one source. The permit is acquired only when an attempt starts, so that sources that wait for their host, or
 * for a retry, hold up no others; and the slot of the host only once there is a permit, so that it is never held by what waits.
 */
export function createBoundedFetch({
  source,
  withRetry,
  hostSlots,
  semaphore,
}: BoundedFetchServices): BoundedFetch {
  let release = () => {};

  /** Acquires the permit and a slot. Returns the function that gives the slot back. */
  async function acquire(src: string): Promise<() => void> {
    for (;;) {
      await hostSlots.ready(src);
      release = await semaphore.acquire();
      const giveBack = hostSlots.tryTake(src);
      if (giveBack) return giveBack;
      release();
    }
  }

  return {
    release: () => release(),
    fetch: (src, signal) =>
      withRetry(src, async () => {
        const giveBack = await acquire(src);
        try {
          return await source.fetch(src, signal);
        } catch (error) {
          release();
          hostSlots.failed(src, error);
          throw error;
        } finally {
          giveBack();
        }
      }),
  };
}

/** A bounded number of permits. */
export interface Semaphore {
  /** Waits for a permit. Returns the function that releases it, which may be called more than once. */
  acquire(): Promise<() => void>;
}

export function createSemaphore(permits: number): Semaphore {
  const queue = new PQueue({ concurrency: permits });
  return {
    acquire: () =>
      new Promise((onAcquired) => {
        void queue.add(() => new Promise<void>((release) => onAcquired(release)));
      }),
  };
}
