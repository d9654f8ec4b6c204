import { setImmediate as nextTurn } from 'node:timers/promises';
import PQueue from 'p-queue';
import type { Urgency } from './encoder.ts';

/** What a slot is wanted for. */
export interface Step {
  kind: 'decode' | 'encode';
  urgency: Urgency;
  /** About how much memory it may take to decode for this. */
  decodeBytes: number;
}

/** The processor's time: so many decodes and encodes at once. */
export interface EncodeSemaphore {
  /** Does the work when its turn comes: a viewer's before prewarm's, and among these in the order in which they came. */
  take<T>(step: Step, work: () => Promise<T>): Promise<T>;
}

/** Does a piece of work in a slot, when it is its turn. */
export type RunWithPermit = <T>(work: () => Promise<T>) => Promise<T>;

/** The highest goes first. Finishing goes before beginning: decoded pixels wait in memory. */
const PRIORITIES: Readonly<Record<Urgency, Readonly<Record<Step['kind'], number>>>> = {
  viewer: { encode: 3, decode: 2 },
  prewarm: { encode: 1, decode: 0 },
};

/** What may take more memory than this to decode is taken one at a time: half a dozen at once would end the process. */
const GIANT_BYTES = 300_000_000;

export function createEncodeSemaphore(concurrency: number): EncodeSemaphore {
  const semaphore = new PQueue({ concurrency });
  const giants = new PQueue({ concurrency: 1 });

  function inSlot<T>(priority: number, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      void semaphore.add(
        async () => {
          await work().then(resolve, reject);
          // Whoever waits for decoded pixels gets to ask for their encodings before the slot goes on to other pixels.
          await nextTurn();
        },
        { priority },
      );
    });
  }

  return {
    take({ kind, urgency, decodeBytes }, work) {
      const priority = PRIORITIES[urgency][kind];
      if (decodeBytes <= GIANT_BYTES) return inSlot(priority, work);
      // Once it is its turn it goes as a viewer's: else a viewer's giant would wait for prewarm's, which waits for all viewers.
      return giants.add(() => inSlot(PRIORITIES.viewer[kind], work), { priority });
    },
  };
}
