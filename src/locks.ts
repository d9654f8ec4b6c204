/**
 * Locks that all processes of this machine share, so that together they do no work twice, and no more at a time than one process would.
 * The name of a lock says what it is for.
 */
export interface Locks {
  /**
   * Runs work once fewer than `limit` pieces of work with this name are running, in all processes.
   *
   * @param priority - of several that wait, the one with the highest goes first, then the one that came first
   * @param work - is told whether it had to wait: others may have done it meanwhile
   * @returns what the work returns
   * @throws what the work throws
   */
  run<T>(
    name: string,
    options: { limit: number; priority?: number },
    work: (hasWaited: boolean) => Promise<T>,
  ): Promise<T>;
}

/** For one process, which has limits of its own: no work waits. */
export const NO_LOCKS: Locks = { run: (_name, _options, work) => work(false) };
