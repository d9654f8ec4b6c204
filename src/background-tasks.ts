/** Work that nobody waits for, beside what is answered. */
export interface BackgroundTasks {
  /** @param report - is told of its fault: nobody else hears of it */
  begin(work: Promise<unknown>, report: (fault: unknown) => void): void;
  /** Ends when all that has begun is done. */
  settle(): Promise<void>;
}

export function createBackgroundTasks(): BackgroundTasks {
  const underWay = new Set<Promise<void>>();
  return {
    begin(work, report) {
      const reported = work
        .then(() => undefined, report)
        .finally(() => {
          underWay.delete(reported);
        });
      underWay.add(reported);
    },
    async settle() {
      await Promise.all(underWay);
    },
  };
}
