import type { Logger } from 'pino';
import type { Backlog } from './backlog.ts';
import type { Outbox, WaitingEvent } from './outbox.ts';
import { dropExcess, judge, type RefusedInARow } from './refused-events.ts';
import type { Sender, SendResult } from './sender.ts';
import type { TargetPause } from './target-pause.ts';

// One attempt to send an event, and what follows from its result.

/** How long an event waits for its delivery: about as long as the schedule that Standard Webhooks gives as an example. */
export const MAX_AGE_MS = 72 * 60 * 60 * 1000;

export interface DeliveryCounts {
  delivered: number;
  /** Attempts. */
  failed: number;
  /** Events that are never sent: too many waited or were refused, one waited for too long, or the target is gone. */
  dropped: number;
}

/** One target, its events that wait, and what is known of it. */
export interface TargetState extends RefusedInARow {
  /** What the target is called in logs. */
  name: string;
  outbox: Outbox;
  sender: Sender;
  log: Logger;
  nowMs: () => number;
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

/** Returns the next event to be sent, and whether the target has refused it before. */
export function takeNext({ backlog, pause, refusals }: TargetState) {
  const take = () => wrap(backlog.take(), false);
  // While the target fails, what it has not refused yet is more likely to be taken.
  const untried = pause.isFailing() ? take() : undefined;
  const refused = untried || refusals.remainingMs() > 0 ? undefined : wrap(backlog.takeAside(), true);
  return untried ?? refused ?? take();
}

function wrap(event: WaitingEvent | undefined, wasRefused: boolean) {
  return event && { event, wasRefused };
}

/** Looks for events in the store that are not in memory. Never throws. */
export async function listWaiting(target: TargetState): Promise<void> {
  try {
    await target.backlog.list();
  } catch (error) {
    recordAttempt(target, { state: 'failed', reason: `the store cannot be listed: ${error}` });
  }
}

/** Sends an event once, and takes it out of the backlog or puts it where it waits for the next time. Never throws. */
export async function deliver(event: WaitingEvent, target: TargetState, wasRefused: boolean): Promise<void> {
  const { backlog, outbox, sender, refusals, nowMs } = target;
  try {
    if (nowMs() - event.sinceMs > MAX_AGE_MS) {
      await backlog.finish(event);
      return reportDropped(target, event.unit, `it waited for ${MAX_AGE_MS / 3_600_000} hours`);
    }
    const message = await outbox.read(event);
    // Delivered by another process, or damaged.
    if (!message) return await backlog.finish(event);
    const answer = await sender.send(message);
    const result = judge(target, answer, wasRefused);
    recordAttempt(target, result);
    if (result.state === 'refused') {
      backlog.setAside(event);
      const dropped = await dropExcess(target);
      if (dropped)
        reportDropped(target, dropped.unit, `the target refuses it, and ${target.maxRefused} others`);
      return;
    }
    // It refuses all: it may take another first.
    if (answer.state === 'refused') return backlog.putLast(event);
    if (result.state !== 'delivered') return backlog.putBack(event);
    if (wasRefused) refusals.succeeded();
    await backlog.finish(event);
  } catch (error) {
    // Of the store. What was delivered is delivered again: that is what ids are for.
    recordAttempt(target, { state: 'failed', reason: String(error) });
    backlog.putBack(event);
  }
}

/** Counts an attempt, and decides how long the target is left alone after it. */
export function recordAttempt(target: TargetState, result: SendResult): void {
  const { name, counts, pause, refusals, backlog, log } = target;
  if (result.state === 'delivered') {
    counts.delivered++;
    pause.succeeded();
    return;
  }
  counts.failed++;
  const { reason } = result;
  const fields = { target: name, reason, waiting: backlog.size() };
  if (result.state === 'gone') {
    target.isGone = true;
    log.error(fields, 'the target of events is gone: it gets no more until the next start');
  } else {
    const pauseMs = result.state === 'refused' ? refusals.failed() : pause.failed(result.retryAfterMs);
    // Whoever refuses one works, and may take others.
    if (result.state === 'refused') pause.succeeded();
    else target.failures++;
    log.warn({ ...fields, seconds: Math.round(pauseMs / 1000) }, 'events could not be sent');
  }
}

/** Counts and logs an event that is never sent. */
export function reportDropped({ name, counts, log }: TargetState, unit: string, reason: string): void {
  counts.dropped++;
  log.error({ target: name, unit, reason }, 'an event was dropped: the target will never get it');
}
