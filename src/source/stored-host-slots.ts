import { EdgepressError } from '../protocol/error.ts';
import { hostLeasesKey, type Sha256 } from '../protocol/keys.ts';
import { sourceHost } from '../protocol/source-syntax.ts';
import type { VariantStore } from '../store/store.ts';
import { hostRefusal, isHostRefusal } from './host-breakers.ts';
import { createHostLease, type HostLease } from './host-lease.ts';
import { Crowded, type HostSlots } from './host-slots.ts';

export interface StoredHostSlotsOptions {
  /** Holds the leases, one object for each host. All processes that share it must have the same limit. */
  store: Pick<VariantStore, 'get' | 'replace'>;
  sha256: Sha256;
  /** The most fetches at the same time from one host, of all processes together. */
  limit: number;
  /** The longest that a fetch may take, in milliseconds: a lease outlives the fetches of a process that cannot renew it. */
  fetchTimeoutMs: number;
  /** Ends all waits, which then throw its reason. */
  signal: AbortSignal;
  /** Called with errors of the store: leases are tried again. */
  onError: (error: unknown) => void;
  /** Unix milliseconds. */
  nowMs?: () => number;
  /** How long a fetch waits while this process has no slot of its host, in milliseconds. Default: 30,000. */
  maxWaitMs?: number;
  /** How often the leases of a host are read while it is fetched from, in milliseconds. Default: 2,000. */
  readMs?: number;
}

/** After this time without a slot, the process had better work on something else. */
const MAX_WAIT_MS = 30_000;

/**
 * Returns slots that processes share by leases in a store. A process leases several slots of a host at once and keeps them for as long as it
 * fetches from the host: one read in two seconds and one write in ten, however many fetches that are. Sources in buckets need no slot: S3 is
 * made for many readers.
 */
export function createStoredHostSlots(options: StoredHostSlotsOptions): HostSlots {
  const { store, sha256, signal, maxWaitMs = MAX_WAIT_MS, nowMs = Date.now, ...rest } = options;
  const leases = new Map<string, HostLease>();

  function leaseOf(host: string): HostLease {
    const existing = leases.get(host);
    if (existing) return existing;
    const created = createHostLease({
      ...{ store, nowMs, ...rest },
      key: hostLeasesKey(host, sha256),
      onIdle: () => leases.delete(host),
    });
    leases.set(host, created);
    return created;
  }

  return {
    async ready(src) {
      if (isBucket(src)) return;
      const host = sourceHost(src);
      const lease = leaseOf(host);
      signal.throwIfAborted();
      const outcome = await lease.wait(signal, maxWaitMs);
      signal.throwIfAborted();
      if (outcome === 'crowded') throw crowded(host);
      if (outcome !== 'free') throw hostRefusal(pauseOf(host), outcome.pausedMs);
    },
    tryTake(src) {
      return isBucket(src) ? () => {} : leases.get(sourceHost(src))?.tryTake();
    },
    failed(src, error) {
      if (isBucket(src) || isHostRefusal(error) || !(error instanceof EdgepressError)) return;
      if (error.retryAfterSeconds !== undefined)
        leaseOf(sourceHost(src)).pause(error.retryAfterSeconds * 1000);
    },
    async close() {
      await Promise.all([...leases.values()].map((lease) => lease.close()));
    },
  };
}

function isBucket(src: string): boolean {
  return src.startsWith('s3:');
}

function crowded(host: string): EdgepressError {
  const detail = `other processes fetch as many sources from ${host} as PREWARM_FETCHES_PER_HOST allows: tried again later`;
  return new EdgepressError('overloaded', detail, { retryable: true, cause: new Crowded(detail) });
}

function pauseOf(host: string): EdgepressError {
  return new EdgepressError('source_unavailable', `${host} has asked another process for a pause`, {
    retryable: true,
  });
}
