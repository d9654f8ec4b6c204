/** An invalidation that a CDN has accepted. */
export interface Invalidation {
  /** The CDN's id for it. */
  id: string;
  /** How many tags it has. */
  tags: number;
}

/** The port for the cache in front of the service. */
export interface Cdn {
  /**
   * Invalidates everything in the cache that has any of these tags. Resolves when the CDN has accepted all of it. That may take long
   * while many other invalidations are in progress, and is no failure. When it fails for another reason, some may have been
   * accepted; calling it again with all tags is safe.
   *
   * @param tags - such as `u-6f0a…`, any number; duplicates count once
   * @returns one entry for each call that the CDN accepted; none without a CDN
   * @throws TypeError when one cannot be a cache tag, before anything is sent
   */
  invalidate(tags: readonly string[]): Promise<readonly Invalidation[]>;
  /** Resolves when these invalidations are complete, whichever process made them. */
  wait(invalidations: readonly Invalidation[]): Promise<void>;
  /** Releases all connections. Calls in flight fail. */
  close(): void;
}

/** For a service without a cache in front of it: does nothing. */
export function createNoCdn(): Cdn {
  return {
    invalidate: async () => [],
    wait: async () => undefined,
    close: () => undefined,
  };
}
