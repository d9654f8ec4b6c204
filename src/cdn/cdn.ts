/** An invalidation that a CDN has accepted. */
export interface Invalidation {
  /** The CDN's id for it. */
  id: string;
  /** How many tags it has. */
  tags: number;
  /** Which one of several CDNs, as `CDN` names it. */
  cdn?: string;
}

/** What is said of a purge when no cache was told of it. */
export const NOT_TOLD =
  'No CDN is configured (CDN=none): if a cache stands before this service, it keeps its copies until they expire. Purge these cache tags there';

export interface WaitOptions {
  signal?: AbortSignal;
  /** Called each time that the CDN has said how far an invalidation is, and it is not complete. */
  onProgress?: (progress: WaitProgress) => void;
}

export interface WaitProgress {
  /** How many of the invalidations are known to be complete. */
  complete: number;
  /** The id of the next one. */
  id: string;
  /** Its state, in the CDN's words. */
  state: string;
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
  /**
   * Resolves when these invalidations are complete, whichever process made them. It waits for as long as that takes: bound it by a signal.
   *
   * @throws the reason of the signal once it aborts
   */
  wait(invalidations: readonly Invalidation[], options?: WaitOptions): Promise<void>;
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
