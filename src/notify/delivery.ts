import type { Logger } from 'pino';
import {
  type DeliveryCounts,
  deliver,
  listWaiting,
  recordAttempt,
  reportDropped,
  type TargetState,
  takeNext,
} from './attempts.ts';
import { createBacklog } from './backlog.ts';
import type { Outbox } from './outbox.ts';
import { MAX_REFUSED_EVENTS } from './refused-events.ts';
import type { Sender } from './sender.ts';
import { createTargetPause } from './target-pause.ts';
import type { UnitEvent } from './unit-event.ts';

/** The most events that wait for one target. What happens while so many wait is not told: it is logged and counted. */
const MAX_WAITING = 1_000_000;
const FIRST_PAUSE_MS = 1000;

export interface DeliveryOptions {
  /** What the target is called in logs. */
  name: string;
  outbox: Outbox;
  sender: Sender;
  log: Logger;
  nowMs: () => number;
  /** Default: a million. */
  maxWaiting?: number;
  /** Default: a thousand. */
  maxRefused?: number;
  /** The pause after a first failure, in milliseconds; it doubles with each in a row, up to five minutes. Default 1,000. */
  firstPauseMs?: number;
}

/**
 * Sends events to one target, at least once and in order per unit, from an outbox. While the target fails, one event at a time tries it, with
 * growing pauses.
 */
export interface Delivery {
  /**
   * Stores an event. When this resolves, the event survives the process.
   *
   * @throws the error of the store
   */
  store(event: UnitEvent): Promise<void>;
  /** Sends an event at once, without storing it: only if the target has not failed lately. Returns whether it was delivered. */
  sendNow(event: UnitEvent): Promise<boolean>;
  /** Sends what was stored, and what will be, in the background until `stop`. */
  start(): void;
  /**
   * There may be events of other processes in the store.
   *
   * @param removed - how many events of each outbox, by its folder, were removed because they had waited for too long
   */
  takeUp(removed?: ReadonlyMap<string, number>): void;
  /** Starts no more deliveries, and resolves when those in flight have ended. */
  stop(): Promise<void>;
  /** Resolves when nothing waits but what was refused, or the target fails (again), or the signal aborts. */
  flushed(signal: AbortSignal): Promise<void>;
  /** About how many events wait. */
  waiting(): number;
  counts: Readonly<DeliveryCounts>;
}

export function createDelivery(options: DeliveryOptions): Delivery {
  const { outbox, sender, nowMs, maxWaiting = MAX_WAITING, firstPauseMs = FIRST_PAUSE_MS } = options;
  const { maxRefused = MAX_REFUSED_EVENTS } = options;
  const backlog = createBacklog(outbox);
  const pause = createTargetPause(firstPauseMs, nowMs);
  const refusals = createTargetPause(firstPauseMs, nowMs);
  const counts: DeliveryCounts = { delivered: 0, failed: 0, dropped: 0 };
  const state = { refusedInARow: 0, failures: 0, isGone: false };
  const target: TargetState = { ...options, maxRefused, backlog, pause, refusals, counts, ...state };
  const pump = createPump(target);
  return {
    counts,
    waiting: backlog.size,
    async store(event) {
      const reason = target.isGone
        ? 'the target is gone'
        : backlog.size() >= maxWaiting && `${maxWaiting} events wait already`;
      if (reason !== false) return reportDropped(target, event.data.unit, reason);
      await backlog.add(event);
      pump.run();
    },
    async sendNow(event) {
      if (pause.remainingMs() > 0 || target.isGone) return false;
      const { id, type, data } = event;
      const result = await sender.send({ id, type, unit: data.unit, body: JSON.stringify(event) });
      recordAttempt(target, result);
      return result.state === 'delivered';
    },
    takeUp(removed) {
      const dropped = removed?.get(outbox.folder) ?? 0;
      counts.dropped += dropped;
      backlog.noteRemoved(dropped);
      backlog.takeUp();
      pump.run();
    },
    start: pump.start,
    stop: pump.stop,
    async flushed(signal) {
      const failedBefore = target.failures;
      const hasFailed = () => target.failures > failedBefore;
      const isOver = () => backlog.isDone() || hasFailed() || target.isGone || signal.aborted;
      while (!isOver()) await pump.nextChange(signal);
    },
  };
}

/** Keeps as many deliveries in flight as may be. */
function createPump(target: TargetState) {
  const { backlog, pause, refusals, sender } = target;
  const inFlight = new Set<Promise<void>>();
  let isRunning = false;
  let timer: NodeJS.Timeout | undefined;
  let onChange = () => {};

  function track(work: Promise<void>): void {
    const tracked = work.finally(() => {
      inFlight.delete(tracked);
      run();
    });
    inFlight.add(tracked);
  }

  function run(): void {
    clearTimeout(timer);
    onChange();
    if (!isRunning || target.isGone) return;
    const pauseMs = pause.remainingMs();
    if (pauseMs <= 0) {
      if (backlog.needsListing()) track(listWaiting(target));
      startDeliveries();
    }
    const waitMs = Math.max(pauseMs, refusals.remainingMs());
    if (waitMs > 0) timer = setTimeout(run, waitMs);
  }

  function startDeliveries(): void {
    while (inFlight.size < (pause.isFailing() ? 1 : sender.concurrency)) {
      const next = takeNext(target);
      if (!next) return;
      track(deliver(next.event, target, next.wasRefused));
    }
  }

  return {
    run,
    start(): void {
      isRunning = true;
      run();
    },
    async stop(): Promise<void> {
      isRunning = false;
      clearTimeout(timer);
      await Promise.all(inFlight);
    },
    /** Resolves when the next delivery starts or ends, or the signal aborts. */
    nextChange(signal: AbortSignal): Promise<void> {
      return new Promise((resolve) => {
        const end = () => {
          signal.removeEventListener('abort', end);
          resolve();
        };
        onChange = end;
        signal.addEventListener('abort', end, { once: true });
      });
    },
  };
}
