import PQueue from 'p-queue';
import type { WithRetry } from '../source/retry.ts';
import type { SourceFetcher } from '../source/source.ts';

/** How one source is fetched by work that nobody waits for. */
export interface RetryingFetch {
  fetch: SourceFetcher['fetch'];
  /** Makes room for another source: this one is not in memory any more. */
  letGo(): void;
}

/**
 * Makes what fetches with patience, no more sources at once than there are places. A place is taken only from the fetch on: whoever
 * waits for a host holds up nobody else.
 */
export function createRetryingFetches(
  source: Pick<SourceFetcher, 'fetch'>,
  persist: WithRetry,
  places: Semaphore,
): () => RetryingFetch {
  return () => {
    let letGo = () => {};
    return {
      letGo: () => letGo(),
      fetch: (src) =>
        persist(src, async () => {
          letGo = await places.take();
          try {
            return await source.fetch(src);
          } catch (error) {
            letGo();
            throw error;
          }
        }),
    };
  };
}

/** A bounded number of places, for work that takes one in the middle and lets go of it at its end. */
export interface Semaphore {
  /** Waits for a place. Returns what lets go of it, which may be called more than once. */
  take(): Promise<() => void>;
}

export function createSemaphore(count: number): Semaphore {
  const places = new PQueue({ concurrency: count });
  return {
    take: () =>
      new Promise((taken) => {
        void places.add(() => new Promise<void>((letGo) => taken(letGo)));
      }),
  };
}
