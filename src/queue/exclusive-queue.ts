import { sleep } from '../backoff.ts';
import { QUEUE_LEASE_KEY } from '../protocol/keys.ts';
import { createLeaseHolder } from '../store/lease-holder.ts';
import { changeLeases, type Leases, slotsOf, withSlots } from '../store/leases.ts';
import type { VariantStore } from '../store/store.ts';
import type { ConsumeOptions, UnitQueue } from './queue.ts';

/** How often the holder renews the lease. */
const RENEW_MS = 15_000;
/** How often others look whether it is free, at most: in S3, that costs half a dollar a month. */
const LOOK_MS = 2_000;
/** Without a renewal for so long, the holder starts no more jobs: a little before others may. */
const USE_MS = 40_000;
const LEASE_MS = 60_000;

export interface ExclusiveQueueOptions {
  /** Holds the lease. */
  store: Pick<VariantStore, 'get' | 'replace'>;
  nowMs: () => number;
  /** Called when another process works on the queue, and when this one has taken over after that. */
  onChange: (state: 'waiting' | 'working') => void;
  /** How often to renew the lease, in milliseconds; others look whether it is free as often, or every two seconds. Default: 15,000. */
  renewMs?: number;
}

/**
 * Returns a queue in a store on which one process works at a time, by a lease in the same store. All others may put jobs on it, and take over
 * when that process ends; if it was killed on another machine, a minute later.
 */
export function createExclusiveQueue(queue: UnitQueue, options: ExclusiveQueueOptions): UnitQueue {
  return {
    ...queue,
    async consume(handle, consumeOptions) {
      const { signal, onError } = consumeOptions;
      const lease = createLease({ ...options, onError, onOthers: () => queue.wake?.() });
      while (await lease.acquire(signal)) {
        const stop = new AbortController();
        const renewing = lease.renewUntil(AbortSignal.any([signal, stop.signal]));
        const lost = renewing.then(() => stop.abort());
        await queue.consume(handle, { ...consumeOptions, signal: AbortSignal.any([signal, stop.signal]) });
        stop.abort();
        await lost;
        await lease.release();
      }
    },
  };
}

interface LeaseOptions extends ExclusiveQueueOptions, Pick<ConsumeOptions, 'onError'> {
  /** Called now and then while other processes wait, which may have put jobs on the queue. */
  onOthers: () => void;
}

function createLease({ store, nowMs, onChange, onError, onOthers, renewMs = RENEW_MS }: LeaseOptions) {
  const holder = createLeaseHolder();

  /** Asks for the lease, or gives it back. Returns what is stored then. */
  function change(wanted: 0 | 1): Promise<Leases> {
    return changeLeases(store, QUEUE_LEASE_KEY, (leases) => {
      const now = nowMs();
      const changed = withSlots(leases, { holder, wanted, limit: 1, nowMs: now, leaseMs: LEASE_MS });
      if (wanted === 0 || slotsOf(changed, holder) === 1) return changed;
      // It needs no renewal at each look.
      return leases.waitingUntilMs > now + 2 * renewMs
        ? undefined
        : { ...leases, waitingUntilMs: now + 4 * renewMs };
    });
  }

  return {
    /** Waits for the lease. Returns `false` once the signal has aborted. */
    async acquire(signal: AbortSignal): Promise<boolean> {
      let isWaiting = false;
      for (; !signal.aborted; await sleep(Math.min(renewMs, LOOK_MS), signal)) {
        try {
          if (slotsOf(await change(1), holder) === 1) {
            if (isWaiting) onChange('working');
            return true;
          }
          if (!isWaiting) onChange('waiting');
          isWaiting = true;
        } catch (error) {
          onError(error);
        }
      }
      return false;
    },
    /** Resolves when the signal has aborted, or the lease could not be renewed in time. */
    async renewUntil(signal: AbortSignal): Promise<void> {
      let renewedMs = performance.now();
      while (performance.now() - renewedMs < USE_MS) {
        await sleep(renewMs, signal);
        if (signal.aborted) return;
        const startedMs = performance.now();
        try {
          const leases = await change(1);
          if (slotsOf(leases, holder) === 0) return;
          renewedMs = startedMs;
          if (leases.waitingUntilMs > nowMs()) onOthers();
        } catch (error) {
          onError(error);
        }
      }
    },
    /** If that fails, the lease expires. */
    async release(): Promise<void> {
      await change(0).catch(onError);
    },
  };
}
