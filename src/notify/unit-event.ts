import { createHash } from 'node:crypto';
import type { UnitSummary } from '../unit/unit-summary.ts';

/** What operators are told about a unit: the JSON that every target gets. Its form follows the recommendation of Standard Webhooks. */
export interface UnitEvent {
  /** The same each time this event is sent: a receiver drops what it has seen. It has no dot, which signatures need. */
  id: string;
  /**
   * `unit.completed`: the last image of the unit has become ready or broken. `unit.failed`: the unit could not be worked on, and is given
   * up until someone sends it again.
   */
  type: 'unit.completed' | 'unit.failed';
  /** When it happened, ISO 8601. */
  timestamp: string;
  data: CompletedUnit | FailedUnit;
}

/** Which submission of which unit an event is about. */
export interface UnitSubmission {
  unit: string;
  /** When the unit was sent, ISO 8601: of two events about one unit, the one of the later submission counts. */
  submittedAt: string;
}

export type CompletedUnit = UnitSubmission & UnitSummary;

export interface FailedUnit extends UnitSubmission {
  /** Why, for an operator. */
  detail: string;
}

const MAX_DETAIL_LENGTH = 500;

/**
 * Returns the event for a unit whose images are all ready or broken.
 *
 * @param nowMs - in Unix milliseconds
 */
export function completedEvent(
  { unit, submittedAt }: UnitSubmission,
  summary: UnitSummary,
  nowMs: number,
): UnitEvent {
  return toEvent('unit.completed', nowMs, { unit, submittedAt, ...summary });
}

/** Returns the event for a unit that is given up. */
export function failedEvent({ unit, submittedAt }: UnitSubmission, detail: string, nowMs: number): UnitEvent {
  return toEvent('unit.failed', nowMs, { unit, submittedAt, detail: detail.slice(0, MAX_DETAIL_LENGTH) });
}

function toEvent(type: UnitEvent['type'], nowMs: number, data: UnitEvent['data']): UnitEvent {
  return { id: eventId(type, data), type, timestamp: new Date(nowMs).toISOString(), data };
}

/** After a crash the same work is done again: so the id follows from what the event says. */
function eventId(type: string, { unit, submittedAt, ...data }: UnitEvent['data']): string {
  const counts = 'ready' in data ? [data.ready, data.broken] : [];
  const digest = createHash('sha256')
    .update([type, unit, submittedAt, ...counts].join('\n'))
    .digest('hex');
  return `evt_${digest.slice(0, 32)}`;
}
