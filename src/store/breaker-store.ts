import {
  type CircuitBreakersOptions,
  type CircuitStatus,
  createCircuitBreakers,
  type Entry,
} from '../circuit-breaker.ts';
import { SWEEP_PROGRESS_KEY } from '../protocol/keys.ts';
import { createAdaptiveDeadline } from './adaptive-deadline.ts';
import type { VariantStore } from './store.ts';

/** A store for those who wait for an answer: its operations fail in a second or two, and at once while the store is known to be down. */
export interface BreakerStore {
  store: VariantStore;
  /** Returns the store's circuit, if it is not closed. */
  list(): CircuitStatus[];
  /** Returns how many operations were refused so far. */
  refusals(): number;
}

export interface BreakerStoreOptions extends Pick<CircuitBreakersOptions, 'onChange' | 'nowMs'> {
  /** The name of the store, for `onChange` and `list`. */
  name: string;
  /**
   * Called when a write has ended that its caller no longer waited for: it may have taken effect after everything that its caller did since.
   * Must not throw.
   */
  onLateWrite: (key: string) => void;
}

/** The operation was not tried, because the store did not answer several times in a row. */
export class StoreRefusal extends Error {
  override readonly name = 'StoreRefusal';
}

/** A viewer's request that is not in memory reads twice at once, so that the first one that a silent store keeps waiting opens the circuit. */
const FAILURES_TO_OPEN = 2;
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 30_000;

/** S3 mostly answers in tens of milliseconds. */
const MIN_DEADLINE_MS = 1_000;
const MAX_DEADLINE_MS = 2_000;
/** What a write gets more than that, for its bytes. */
const MS_PER_WRITTEN_BYTE = 1 / 1_000;
const MAX_WRITE_MS = 5_000;

/** The most keys that S3 lists at once. */
const PAGE_LENGTH = 1_000;

/** An object that mostly exists, and is read to find out whether the store works again. */
const PROBE_KEY = SWEEP_PROGRESS_KEY;

const NO_CONNECTION =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|TimeoutError|AbortError)$/;

/**
 * Puts deadlines and a circuit breaker before a store. Timeouts and connections that fail open the circuit; any answer closes it, be it an
 * error. While it is open, operations are refused at once; the probe is a read that no caller waits for. An operation whose deadline has
 * passed goes on by itself, so that a slow put still stores its object.
 *
 * Deadlines can end no synchronous call of a folder on a network disk: that blocks the process until the system gives up.
 */
export function createBreakerStore(store: VariantStore, options: BreakerStoreOptions): BreakerStore {
  const { name, onLateWrite, onChange, nowMs } = options;
  const circuits = createCircuitBreakers({
    threshold: FAILURES_TO_OPEN,
    firstDelayMs: FIRST_DELAY_MS,
    maxDelayMs: MAX_DELAY_MS,
    maxTargets: 1,
    ...(onChange && { onChange }),
    ...(nowMs && { nowMs }),
  });
  const deadline = createAdaptiveDeadline({ minMs: MIN_DEADLINE_MS, maxMs: MAX_DEADLINE_MS });

  /** @param onLate - called when an operation ends whose deadline has passed */
  async function attempt<T>(
    entry: Entry,
    operation: () => Promise<T>,
    extraMs = 0,
    onLate = () => {},
  ): Promise<T> {
    try {
      const result = await deadline.run(operation, { extraMs, onLate });
      entry.succeeded();
      return result;
    } catch (error) {
      if (isSilence(error)) entry.failed(error);
      else entry.succeeded();
      throw error;
    }
  }

  async function guard<T>(operation: () => Promise<T>, extraMs?: number, onLate?: () => void): Promise<T> {
    const entry = circuits.enter(name);
    if ('retryAfterMs' in entry) throw new StoreRefusal(`not tried: ${entry.error.message}`);
    if (!entry.isProbe) return await attempt(entry, operation, extraMs, onLate);
    // Nobody waits for a probe.
    attempt(entry, () => store.head(PROBE_KEY)).catch(() => undefined);
    throw new StoreRefusal('not tried: whether the store works again is being found out');
  }

  function write<T>(keys: readonly string[], bytes: number, operation: () => Promise<T>): Promise<T> {
    const extraMs = Math.min(bytes * MS_PER_WRITTEN_BYTE, MAX_WRITE_MS - MAX_DEADLINE_MS);
    return guard(operation, extraMs, () => keys.forEach(onLateWrite));
  }

  return {
    store: {
      ...(store.peek && { peek: store.peek }),
      get: (key) => guard(() => store.get(key)),
      head: (key) => guard(() => store.head(key)),
      put: (key, body, info) => write([key], body.length, () => store.put(key, body, info)),
      replace: (key, etag, body, info) =>
        write([key], body.length, () => store.replace(key, etag, body, info)),
      delete: (keys) => write([], 0, () => store.delete(keys)),
      deleteIfMatch: (key, etag) => write([], 0, () => store.deleteIfMatch(key, etag)),
      async *list(folder, after) {
        const objects = store.list(folder, after)[Symbol.asyncIterator]();
        for (;;) {
          const { page, isLast } = await guard(() => nextPage(objects));
          yield* page;
          if (isLast) return;
        }
      },
    },
    list: circuits.list,
    refusals: circuits.refusals,
  };
}

/** Returns about as much of a listing as a store returns at a time: nobody may wait for it longer than for another operation. */
async function nextPage<T>(items: AsyncIterator<T>): Promise<{ page: T[]; isLast: boolean }> {
  const page: T[] = [];
  while (page.length < PAGE_LENGTH) {
    const next = await items.next();
    if (next.done) return { page, isLast: true };
    page.push(next.value);
  }
  return { page, isLast: false };
}

/** Whether an error says that the store did not answer. An answer of S3 has a status. */
function isSilence(error: unknown): error is Error {
  if (!(error instanceof Error) || hasStatus(error)) return false;
  const code = 'code' in error ? String(error.code) : error.name;
  return NO_CONNECTION.test(code) || NO_CONNECTION.test(error.name);
}

function hasStatus(error: Error): boolean {
  if (!('$metadata' in error)) return false;
  return (error.$metadata as { httpStatusCode?: number }).httpStatusCode !== undefined;
}
