import PQueue from 'p-queue';

/** A bounded number of places, for work that takes one in the middle and lets go of it at its end. */
export interface Places {
  /** Waits for a place. Returns what lets go of it, which may be called more than once. */
  take(): Promise<() => void>;
}

export function createPlaces(count: number): Places {
  const places = new PQueue({ concurrency: count });
  return {
    take: () =>
      new Promise((taken) => {
        void places.add(() => new Promise<void>((letGo) => taken(letGo)));
      }),
  };
}
