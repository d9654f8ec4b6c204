import { sleep } from '../backoff.ts';
import { createLeaseHolder } from '../store/lease-holder.ts';
import { changeLeases, type Leases, slotsOf, withSlots } from '../store/leases.ts';
import type { VariantStore } from '../store/store.ts';

/** The slots of one host that this process has leased. */
export interface HostLease {
  /** Resolves when a slot is free, the host has asked for a pause, there has been no slot for too long, or the signal has aborted. */
  wait(signal: AbortSignal, maxWaitMs: number): Promise<'free' | 'crowded' | { pausedMs: number }>;
  tryTake(): (() => void) | undefined;
  /** Tells all processes not to fetch from the host for so long. */
  pause(ms: number): void;
  /** Gives the slots back. */
  close(): Promise<void>;
}

export interface HostLeaseOptions {
  store: Pick<VariantStore, 'get' | 'replace'>;
  key: string;
  limit: number;
  fetchTimeoutMs: number;
  onError: (error: unknown) => void;
  nowMs: () => number;
  /** Called when the slots are given back, since nobody needs them. */
  onIdle: () => void;
  /** How often the leases are read while the host is fetched from, in milliseconds. Default: 2,000. */
  readMs?: number | undefined;
}

/** So that a pause and the waiting of others are soon seen. */
const READ_MS = 2000;
const RENEW_MS = 10_000;
/** Without a renewal for so long, no fetch is started. */
const USE_MS = 20_000;
/** How far apart the clocks of processes may be. */
const CLOCK_DIFFERENCE_MS = 10_000;
/** How long slots are kept while others wait. Then half of them are given back, so that shares become equal, and the last one changes hands. */
const TURN_MS = 5000;
/** A host that asks for a longer pause is asked again after an hour: it may be a mistake. */
const MAX_PAUSE_MS = 3_600_000;

export function createHostLease(options: HostLeaseOptions): HostLease {
  const { store, key, limit, fetchTimeoutMs, onError, nowMs, onIdle, readMs = READ_MS } = options;
  const holder = createLeaseHolder();
  const waiters = new Set<() => void>();
  const times = { renewed: 0, turn: 0, lastSlot: performance.now(), askAgain: 0 };
  let slots = 0;
  let used = 0;
  /** The most slots that were in use or waited for since the last look at the leases. */
  let needed = 0;
  let notBeforeMs = 0;
  /** Whether the last look gave fewer slots than were needed. */
  let isFull = false;
  let othersWait = false;
  let isClosed = false;
  let keeping: Promise<void> | undefined;
  let wake = new AbortController();

  const isFresh = () => performance.now() - times.renewed < USE_MS;
  const isRenewalDue = () => performance.now() - times.renewed >= RENEW_MS;
  const pauseLeftMs = () => notBeforeMs - nowMs();
  const demand = () => used + waiters.size;

  /** How many slots to have, given the leases of all. */
  function wantedOf(leases: Leases): number {
    const now = performance.now();
    const current = Math.min(slots, slotsOf(leases, holder));
    const wanted = Math.max(needed, demand());
    if (isClosed || now < times.askAgain) return used;
    if (current === 0) return wanted;
    // A write for each change would be many.
    if (leases.waitingUntilMs <= nowMs())
      return wanted === 0 || isRenewalDue() ? wanted : Math.max(wanted, current);
    if (now - times.turn < TURN_MS) return Math.min(wanted, current);
    return Math.max(used, Math.min(wanted, Math.floor(current / 2)));
  }

  function change(leases: Leases): Leases | undefined {
    const now = nowMs();
    const wanted = wantedOf(leases);
    const leaseMs = USE_MS + fetchTimeoutMs + CLOCK_DIFFERENCE_MS;
    const changed = withSlots(leases, { holder, wanted, limit, nowMs: now, leaseMs });
    const isWaiting = slotsOf(changed, holder) === 0 && waiters.size > 0;
    const hasToMark = isWaiting && leases.waitingUntilMs < now + readMs;
    if (hasToMark) changed.waitingUntilMs = now + 3 * readMs;
    changed.notBeforeMs = Math.max(leases.notBeforeMs, notBeforeMs);
    const isSame =
      slotsOf(changed, holder) === slotsOf(leases, holder) &&
      changed.notBeforeMs === leases.notBeforeMs &&
      !hasToMark;
    isFull = slotsOf(changed, holder) < demand();
    return isSame && !(slotsOf(changed, holder) > 0 && isRenewalDue()) ? undefined : changed;
  }

  /** Brings the leases and what is known of them here up to date. */
  async function synchronize(): Promise<void> {
    const startedMs = performance.now();
    const before = slots;
    let isWritten = false;
    const leases = await changeLeases(store, key, (current) => {
      const changed = change(current);
      isWritten = changed !== undefined;
      // Others may have the difference as soon as it is stored.
      if (changed) slots = Math.min(slots, slotsOf(changed, holder));
      return changed;
    });
    slots = slotsOf(leases, holder);
    // From before the request: another process must not think that the lease has expired first.
    if (isWritten && slots > 0) times.renewed = startedMs;
    if (slots > before || (slots < before && slots > 0)) times.turn = startedMs;
    if (slots === 0 && before > 0 && leases.waitingUntilMs > nowMs()) times.askAgain = startedMs + readMs;
    if (slots > 0) times.lastSlot = performance.now();
    notBeforeMs = leases.notBeforeMs;
    othersWait = leases.waitingUntilMs > nowMs();
    needed = demand();
  }

  /** Keeps the leases up to date until nobody needs a slot. */
  async function keep(): Promise<void> {
    while (demand() > 0 || slots > 0) {
      wake = new AbortController();
      const isLast = isClosed;
      await synchronize().catch(onError);
      notify();
      if (isLast) break;
      await sleep(readMs * (0.5 + Math.random() / 2), wake.signal);
    }
    keeping = undefined;
    if (demand() > 0 && !isClosed) start();
    else onIdle();
  }

  function start(): void {
    keeping ??= keep();
  }

  /** Wakes those that can go on, or that have to look. */
  function notify(): void {
    for (const waiter of [...waiters]) waiter();
  }

  return {
    async wait(signal, maxWaitMs) {
      const startedMs = performance.now();
      for (;;) {
        if (signal.aborted) return 'free';
        const pausedMs = pauseLeftMs();
        if (pausedMs > 0) return { pausedMs };
        if (used < slots && isFresh()) return 'free';
        if (performance.now() - Math.max(startedMs, times.lastSlot) > maxWaitMs) return 'crowded';
        await new Promise<void>((resolve) => {
          const onWake = () => {
            waiters.delete(onWake);
            signal.removeEventListener('abort', onWake);
            resolve();
          };
          waiters.add(onWake);
          signal.addEventListener('abort', onWake, { once: true });
          needed = Math.max(needed, demand());
          if (demand() > slots && !isFull) wake.abort();
          start();
        });
      }
    },
    tryTake() {
      if (used >= slots || !isFresh() || pauseLeftMs() > 0) return undefined;
      used += 1;
      needed = Math.max(needed, demand());
      let isTaken = true;
      return () => {
        if (!isTaken) return;
        isTaken = false;
        used -= 1;
        const [next] = waiters;
        next?.();
        if (demand() === 0 && othersWait) wake.abort();
      };
    },
    pause(ms) {
      notBeforeMs = Math.max(notBeforeMs, nowMs() + Math.min(ms, MAX_PAUSE_MS));
      wake.abort();
      start();
    },
    async close() {
      isClosed = true;
      wake.abort();
      await keeping;
    },
  };
}
