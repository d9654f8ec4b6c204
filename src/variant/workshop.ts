import PQueue from 'p-queue';
import { EdgepressError } from '../error.ts';

const RETRY_AFTER_SECONDS = 5;

/**
 * How many variants are being fetched or encoded at once. More than the encoders, so that slow sources do not leave them
 * idle; bounded, since each holds a whole source in memory (32 × `SOURCE_MAX_BYTES` is 1 GiB at the worst).
 */
const AT_ONCE = 32;

/** Where variants are made: a bounded queue. */
export interface Workshop {
  /**
   * Does the work when its turn comes.
   *
   * @throws EdgepressError `overloaded`, at once, when there is no room to wait; else what the work throws
   */
  enter<T>(work: () => Promise<T>): Promise<T>;
  /** Ends when nothing is under way or waiting. */
  settled(): Promise<void>;
}

/** @param room - how many may be inside, those that wait included */
export function createWorkshop(room: number): Workshop {
  const queue = new PQueue({ concurrency: AT_ONCE });
  return {
    async enter(work) {
      if (queue.size + queue.pending >= room) {
        throw new EdgepressError(
          'overloaded',
          'Too many images are being made just now: try again in a moment',
          {
            retryable: true,
            retryAfterSeconds: RETRY_AFTER_SECONDS,
          },
        );
      }
      return queue.add(work);
    },
    settled: () => queue.onIdle(),
  };
}
