/** What one request costs, in milliseconds of CPU time. */
export interface RequestCost {
  /** On all threads of all processes. */
  all: number;
  /** On the main thread of the process that answers it. */
  mainThread: number;
  /** On the process that runs the workers; 0 without it. */
  primary: number;
}

/**
 * Computes the most requests a second: until all cores are busy, or the main threads of all workers, or the primary process. An upper
 * bound: memory bandwidth, shared caches and a clock that falls with the load are left out.
 */
export function requestsPerSecond(
  { all, mainThread, primary }: RequestCost,
  cores: number,
  workers: number,
): number {
  const mainThreads = Math.min(cores, workers);
  return 1000 * Math.min(cores / all, mainThreads / mainThread, 1 / primary);
}
