import PQueue from 'p-queue';
import type { WithRetry } from '../source/retry.ts';
import type { SourceFetcher } from '../source/source.ts';

/** The fetch of one source for bulk work, which holds a permit of a semaphore while the source is in memory. */
export interface BoundedFetch {
  /** Fetches the source, with retries. Acquires a permit for each attempt, and keeps that of the attempt that succeeds. */
  fetch: SourceFetcher['fetch'];
  /** Releases the permit, if there is one: the source is no longer in memory. May be called more than once. */
  release(): void;
}

/**
 * Returns the fetch of one source. The permit is acquired only when an attempt starts, so that sources that wait for their host, or
 * for a retry, hold up no others.
 *
 * @param semaphore - bounds how many sources are in memory
 */
export function createBoundedFetch(
  source: Pick<SourceFetcher, 'fetch'>,
  withRetry: WithRetry,
  semaphore: Semaphore,
): BoundedFetch {
  let release = () => {};
  return {
    release: () => release(),
    fetch: (src, signal) =>
      withRetry(src, async () => {
        release = await semaphore.acquire();
        try {
          return await source.fetch(src, signal);
        } catch (error) {
          release();
          throw error;
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
