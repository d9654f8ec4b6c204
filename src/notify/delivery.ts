import type { Logger } from 'pino';
import { type Backlog, createBacklog } from './backlog.ts';
import type { Outbox, WaitingEvent } from './outbox.ts';
import { dropExcess, judge, MAX_REFUSED_EVENTS, type RefusedInARow } from './refused-events.ts';
import type { Sender, SendResult } from './sender.ts';
import { createTargetPause, type TargetPause } from './target-pause.ts';
import type { UnitEvent } from './unit-event.ts';

/** The most events that wait for one target. What happens while so many wait is not told: it is logged and counted. */
const MAX_WAITING = 1_000_000;
/** How long an event waits for its delivery: about as long as the schedule that Standard Webhooks gives as an example. */
export const MAX_AGE_MS = 72 * 60 * 60 * 1000;
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

export interface DeliveryCounts {
  delivered: number;
  /** Attempts. */
  failed: number;
  /** Events that are never sent: too many waited or were refused, one waited for too long, or the target is gone. */
  dropped: number;
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

/** What the parts of a delivery share. */
interface Shared extends Omit<DeliveryOptions, 'maxRefused'>, RefusedInARow {
  backlog: Backlog;
  pause: TargetPause;
  /** Of the events that the target refuses: those of others go on. */
  refusals: TargetPause;
  counts: DeliveryCounts;
  /** Attempts that failed, but for those that were refused. */
  failures: number;
  /** Whether the target wants no more events. */
  isGone: boolean;
}

export function createDelivery(options: DeliveryOptions): Delivery {
  const { outbox, sender, nowMs, maxWaiting = MAX_WAITING, firstPauseMs = FIRST_PAUSE_MS } = options;
  const { maxRefused = MAX_REFUSED_EVENTS } = options;
  const backlog = createBacklog(outbox);
  const pause = createTargetPause(firstPauseMs, nowMs);
  const refusals = createTargetPause(firstPauseMs, nowMs);
  const counts: DeliveryCounts = { delivered: 0, failed: 0, dropped: 0 };
  const state = { refusedInARow: 0, failures: 0, isGone: false };
  const shared: Shared = { ...options, maxRefused, backlog, pause, refusals, counts, ...state };
  const pump = createPump(shared);
  return {
    counts,
    waiting: backlog.size,
    async store(event) {
      const reason = shared.isGone
        ? 'the target is gone'
        : backlog.size() >= maxWaiting && `${maxWaiting} events wait already`;
      if (reason !== false) return reportDropped(shared, event.data.unit, reason);
      await backlog.add(event);
      pump.run();
    },
    async sendNow(event) {
      if (pause.remainingMs() > 0 || shared.isGone) return false;
      const { id, type, data } = event;
      const result = await sender.send({ id, type, unit: data.unit, body: JSON.stringify(event) });
      recordAttempt(shared, result);
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
      const failedBefore = shared.failures;
      const hasFailed = () => shared.failures > failedBefore;
      const isOver = () => backlog.isDone() || hasFailed() || shared.isGone || signal.aborted;
      while (!isOver()) await pump.nextChange(signal);
    },
  };
}

/** Keeps as many deliveries in flight as may be. */
function createPump(shared: Shared) {
  const { backlog, pause, refusals, sender } = shared;
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
    if (!isRunning || shared.isGone) return;
    const pauseMs = pause.remainingMs();
    if (pauseMs <= 0) {
      if (backlog.needsListing()) track(list(shared));
      startDeliveries();
    }
    const waitMs = Math.max(pauseMs, refusals.remainingMs());
    if (waitMs > 0) timer = setTimeout(run, waitMs);
  }

  function startDeliveries(): void {
    while (inFlight.size < (pause.isFailing() ? 1 : sender.concurrency)) {
      const next = takeNext(shared);
      if (!next) return;
      track(deliver(next.event, shared, next.wasRefused));
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

/** Returns the next event to be sent, and whether the target has refused it before. */
function takeNext({ backlog, pause, refusals }: Shared) {
  const take = () => wrap(backlog.take(), false);
  // While the target fails, what it has not refused yet is more likely to be taken.
  const untried = pause.isFailing() ? take() : undefined;
  const refused = untried || refusals.remainingMs() > 0 ? undefined : wrap(backlog.takeAside(), true);
  return untried ?? refused ?? take();
}

function wrap(event: WaitingEvent | undefined, wasRefused: boolean) {
  return event && { event, wasRefused };
}

/** Never throws. */
async function list(shared: Shared): Promise<void> {
  try {
    await shared.backlog.list();
  } catch (error) {
    recordAttempt(shared, { state: 'failed', reason: `the store cannot be listed: ${error}` });
  }
}

/** Never throws. */
async function deliver(event: WaitingEvent, shared: Shared, wasRefused: boolean): Promise<void> {
  const { backlog, outbox, sender, refusals, nowMs } = shared;
  try {
    if (nowMs() - event.sinceMs > MAX_AGE_MS) {
      await backlog.finish(event);
      return reportDropped(shared, event.unit, `it waited for ${MAX_AGE_MS / 3_600_000} hours`);
    }
    const message = await outbox.read(event);
    // Delivered by another process, or damaged.
    if (!message) return await backlog.finish(event);
    const answer = await sender.send(message);
    const result = judge(shared, answer, wasRefused);
    recordAttempt(shared, result);
    if (result.state === 'refused') {
      backlog.setAside(event);
      const dropped = await dropExcess(shared);
      if (dropped)
        reportDropped(shared, dropped.unit, `the target refuses it, and ${shared.maxRefused} others`);
      return;
    }
    // It refuses all: it may take another first.
    if (answer.state === 'refused') return backlog.putLast(event);
    if (result.state !== 'delivered') return backlog.putBack(event);
    if (wasRefused) refusals.succeeded();
    await backlog.finish(event);
  } catch (error) {
    // Of the store. What was delivered is delivered again: that is what ids are for.
    recordAttempt(shared, { state: 'failed', reason: String(error) });
    backlog.putBack(event);
  }
}

function recordAttempt(shared: Shared, result: SendResult): void {
  const { name, counts, pause, refusals, backlog, log } = shared;
  if (result.state === 'delivered') {
    counts.delivered++;
    pause.succeeded();
    return;
  }
  counts.failed++;
  const { reason } = result;
  const fields = { target: name, reason, waiting: backlog.size() };
  if (result.state === 'gone') {
    shared.isGone = true;
    log.error(fields, 'the target of events is gone: it gets no more until the next start');
  } else {
    const pauseMs = result.state === 'refused' ? refusals.failed() : pause.failed(result.retryAfterMs);
    // Whoever refuses one works, and may take others.
    if (result.state === 'refused') pause.succeeded();
    else shared.failures++;
    log.warn({ ...fields, seconds: Math.round(pauseMs / 1000) }, 'events could not be sent');
  }
}

function reportDropped({ name, counts, log }: Shared, unit: string, reason: string): void {
  counts.dropped++;
  log.error({ target: name, unit, reason }, 'an event was dropped: the target will never get it');
}
