/** What a CDN was asked to forget. */
export interface Invalidation {
  /** What the CDN calls it. */
  id: string;
  /** How many tags it is for. */
  tags: number;
}

/** The cache in front of the service. */
export interface Cdn {
  /**
   * Asks for all copies with any of these cache tags to be forgotten. It returns when the CDN has taken that on, which may be a
   * while when many others are under way: it never fails for that. When it fails for something else, part may have been taken on;
   * asking again for all is safe.
   *
   * @param tags - such as `u-6f0a…`, however many; those given twice count once
   * @returns one entry for each call that it took; none where there is no CDN
   * @throws TypeError for what cannot be a cache tag, before anything is asked
   */
  invalidate(tags: readonly string[]): Promise<readonly Invalidation[]>;
  /** Ends when these are complete, whichever process asked for them. */
  wait(invalidations: readonly Invalidation[]): Promise<void>;
  /** Lets go of all connections. What is still under way fails. */
  close(): void;
}

/** No cache in front of the service: there is nothing to forget. */
export function createNoCdn(): Cdn {
  return {
    invalidate: async () => [],
    wait: async () => undefined,
    close: () => undefined,
  };
}
