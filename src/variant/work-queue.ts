import { createLocks, type LockOptions, type Locks } from '../locks.ts';
import type { EdgepressError } from '../protocol/error.ts';
import type { AnswerWatcher } from '../source/source.ts';
import type { MetricSource } from '../telemetry/metric-source.ts';
import { takeFetchPlace } from './fetch-place.ts';
import { overloaded, shuttingDown } from './overloaded.ts';
import { createQueueCounts, type Refusal } from './queue-counts.ts';
import { createQueueLoad, type QueuedWork } from './queue-load.ts';

/**
 * The bounded queue in which variants are made for viewers. What waits in it is bounded by time: work that would have to wait for longer
 * than a viewer does is refused at once. Hosts take turns, and one that hangs holds up no other.
 */
export interface WorkQueue {
  /**
   * Runs work in its turn.
   *
   * @param host - host and port of the source
   * @param signal - aborts the work: nobody waits for it any more. What waits is given up; the work has to see to the rest
   * @returns what the work returns
   * @throws EdgepressError `overloaded`, at once if the queue is too long or drains, later if its turn does not come in time
   * @throws what the work throws, or the reason of the signal
   */
  run<T>(host: string, signal: AbortSignal | undefined, work: (turn: Turn) => Promise<T>): Promise<T>;
  /**
   * Checks that work of a host would not have to wait for too long now, for less than trying it costs.
   *
   * @throws EdgepressError `overloaded`, as {@link run}
   */
  assertRoom(host: string): void;
  /** Rejects queued and new work with `overloaded` and resolves when the work in flight is done. */
  drain(): Promise<void>;
  metricSources: readonly MetricSource[];
}

/** What work does in its turn, in this order. */
export interface Turn {
  /** Aborts when nobody waits for the work any more, or when its wait has become too long: with the error to throw. */
  signal: AbortSignal;
  /**
   * Waits for a place to fetch, fetches, and waits for a place to encode. The work may wait for an encoder when it resolves.
   *
   * @param fetch - tells its place how the answer comes
   */
  fetch<T>(fetch: (place: AnswerWatcher) => Promise<T>): Promise<T>;
  /** Waits for a place to fetch, and fetches what is not encoded. */
  fetchOnly<T>(fetch: (place: AnswerWatcher) => Promise<T>): Promise<T>;
  /** The encoder has begun: the wait is over. */
  start(): void;
  /** Frees the place to encode: all is encoded. It is freed at the end of the work at the latest. */
  leave(): void;
}

export interface WorkQueueOptions {
  /** How many encodes run at a time for this queue; a fraction if several processes share the encoders. */
  encoders: number;
  /** How many sources are fetched at a time, those aside that have not begun to answer: bounded, because each is in memory. */
  fetches: number;
  /** How many sources are fetched from one host at a time. */
  fetchesPerHost: number;
  /**
   * How many sources are fetched and not yet encoded. More than the encoders, which are never to wait for a source or a put; bounded,
   * because each is in memory.
   */
  sources: number;
  /** The most work that is accepted: waiting and in flight together. */
  capacity: number;
  /** Bound the places of all processes of this server together; the capacity is that of this process. */
  locks?: Locks;
  /** The time of a monotonic clock, in milliseconds. */
  nowMs?: () => number;
}

/** The longest that work may wait, all in all. With a fetch and an encode, a viewer has the image within ten seconds. */
const MAX_WAIT_MS = 6000;
/** The longest expected wait that is accepted while the queue is a standing one: a longer one serves as many, only later. */
const MAX_STANDING_WAIT_MS = 2000;

interface Work extends QueuedWork {
  /** Settles when it is over. */
  done: Promise<unknown>;
  /** How long it has waited so far. */
  waitedMs: number;
  /** Ends its waits, with the error to throw. */
  ending: AbortController;
}

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const { fetches, fetchesPerHost, sources, capacity, locks = createLocks() } = options;
  const { encoders, nowMs = () => performance.now() } = options;
  const load = createQueueLoad({ encoders, nowMs });
  const accepted = new Set<Work>();
  const counts = createQueueCounts(accepted);
  let draining = false;

  function refuse(reason: Refusal, host: string): EdgepressError {
    counts.refused[reason]++;
    if (reason === 'draining') return shuttingDown();
    const detail = 'Too many images are being made just now: try again in a moment';
    return overloaded(detail, load.retryAfterMs(host));
  }

  function assertRoom(host: string): void {
    if (draining) throw refuse('draining', host);
    const expectedMs = load.expectedWaitMs(host);
    if (expectedMs > (load.isStanding() ? MAX_STANDING_WAIT_MS : MAX_WAIT_MS))
      throw refuse('expected_wait', host);
  }

  /** @throws EdgepressError if work of this host cannot be accepted now */
  function admit(host: string): void {
    assertRoom(host);
    if (accepted.size >= capacity && !makeRoom(host)) throw refuse('full', host);
  }

  /** Refuses the youngest work of the host with the most that waits, if that is more than this one would have: no host fills the queue. */
  function makeRoom(host: string): boolean {
    const busiest = load.busiestHost();
    if (busiest.waiting <= load.waitingOf(host) + 1) return false;
    const waiting = [...accepted].filter((work) => work.host === busiest.host && work.step === 'wait');
    const youngest = waiting.at(-1);
    if (!youngest) return false;
    youngest.ending.abort(refuse('full', busiest.host));
    // At once, and not when it has ended: others that come before that would find the same room.
    load.move(youngest, undefined, false);
    accepted.delete(youngest);
    return true;
  }

  /** Ends the work if it waits for too long. Returns the function to be called when the wait is over. */
  function startWait(work: Work): () => void {
    const startMs = nowMs();
    const leftMs = MAX_WAIT_MS - work.waitedMs;
    const timer = setTimeout(() => work.ending.abort(refuse('deadline', work.host)), leftMs);
    return () => {
      clearTimeout(timer);
      work.waitedMs += nowMs() - startMs;
    };
  }

  /** Takes a place when there is one, unless the work ends before, or the signal of the place aborts. Returns the function that frees it. */
  async function takePlace(work: Work, name: string, place: LockOptions): Promise<() => void> {
    const endWait = startWait(work);
    const signal = place.signal ? AbortSignal.any([work.ending.signal, place.signal]) : work.ending.signal;
    try {
      return await new Promise((resolve, reject) => {
        const untilFreed = () => new Promise<void>((free) => resolve(free));
        locks.run(name, { ...place, signal }, untilFreed).catch(reject);
      });
    } finally {
      endWait();
    }
  }

  /** @param onFetched - awaited before the place is free again */
  async function fetchInPlace<T>(
    work: Work,
    fetch: (place: AnswerWatcher) => Promise<T>,
    onFetched: () => Promise<void>,
  ): Promise<T> {
    load.move(work, 'wait');
    const place = await takeFetchPlace({
      fetches,
      share: { key: work.host, limit: fetchesPerHost },
      takePlace: (name, options) => takePlace(work, name, options),
      onSilence: (isSilent) => load.setSilent(work, isSilent),
    });
    try {
      load.move(work, 'fetch');
      const source = await fetch(place);
      place.onFetched();
      await onFetched();
      return source;
    } finally {
      place.free();
    }
  }

  function createTurn(work: Work): Turn {
    const share = (limit: number) => ({ limit, share: { key: work.host, limit } });
    let endWait = () => {};
    let leave = () => {};
    return {
      signal: work.ending.signal,
      fetch: (fetch) =>
        fetchInPlace(work, fetch, async () => {
          load.move(work, 'fetched');
          leave = await takePlace(work, 'source', share(sources));
          load.move(work, 'encode');
          endWait = startWait(work);
        }),
      fetchOnly: (fetch) => fetchInPlace(work, fetch, async () => {}),
      start: () => endWait(),
      leave() {
        endWait();
        load.move(work, undefined, !work.ending.signal.aborted);
        leave();
      },
    };
  }

  async function runInTurn<T>(
    work: Work,
    signal: AbortSignal | undefined,
    run: (turn: Turn) => Promise<T>,
  ): Promise<T> {
    const abort = () => {
      if (work.step) counts.abandoned[work.step]++;
      work.ending.abort(signal?.reason);
    };
    signal?.addEventListener('abort', abort);
    const turn = createTurn(work);
    try {
      return await run(turn);
    } finally {
      signal?.removeEventListener('abort', abort);
      turn.leave();
      accepted.delete(work);
    }
  }

  return {
    assertRoom,
    async run(host, signal, work) {
      signal?.throwIfAborted();
      admit(host);
      const ending = new AbortController();
      const own: Work = { host, step: undefined, waitedMs: 0, ending, done: Promise.resolve() };
      accepted.add(own);
      const result = runInTurn(own, signal, work);
      own.done = result;
      return await result;
    },
    async drain() {
      draining = true;
      const all = [...accepted];
      for (const { step, ending, host } of all) if (step === 'wait') ending.abort(refuse('draining', host));
      await Promise.allSettled(all.map(({ done }) => done));
    },
    metricSources: counts.metricSources,
  };
}
