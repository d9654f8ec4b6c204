import PQueue from 'p-queue';
import { EdgepressError } from '../error.ts';

const RETRY_AFTER_SECONDS = 5;

/** Where variants are made: a bounded queue. */
export interface Workshop {
  /**
   * Does the work when its turn comes.
   *
   * @throws EdgepressError `overloaded`, at once, when there is no room to wait; else what the work throws
   */
  enter<T>(work: () => Promise<T>): Promise<T>;
  /** Gives up what waits, and ends when what is under way is done. */
  close(): Promise<void>;
}

export interface WorkshopOptions {
  /**
   * How many variants are fetched or encoded at once. More than the encoders, so that slow sources do not leave them idle;
   * bounded, since each holds a whole source in memory.
   */
  atOnce: number;
  /** How many may be inside, those that wait included. */
  room: number;
}

export function createWorkshop({ atOnce, room }: WorkshopOptions): Workshop {
  const queue = new PQueue({ concurrency: atOnce });
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
    close: () => {
      queue.clear();
      return queue.onIdle();
    },
  };
}
