// When the work began that stored an object, as the object says it: not part of the edge function. A purge removes what began before it, and clocks do not decide what
// that is: the unit's tombstone counts the purges, and every object names the tombstone that its writer saw when it began.

/** When a piece of work on a unit began. */
export interface WorkStart {
  /** By the clock of its machine, in Unix milliseconds. It decides nothing unless `lastPurgeMs` is `undefined`. */
  atMs: number;
  /**
   * The time of the unit's tombstone when the work began, in Unix milliseconds; 0: there was none. `undefined`: an earlier version of this
   * program stored the object, and did not say.
   */
  lastPurgeMs: number | undefined;
}

const LAST_PURGE = ' last-purge=';
const NEVER = 'none';

/** Returns the start as the metadata of a variant have it: `{time}`, or `{time} last-purge={time or none}`; times in ISO 8601. */
export function encodeWorkStart({ atMs, lastPurgeMs }: WorkStart): string {
  const time = new Date(atMs).toISOString();
  return lastPurgeMs === undefined ? time : `${time}${LAST_PURGE}${isoOrNull(lastPurgeMs) ?? NEVER}`;
}

/** Reads what `encodeWorkStart` returns; `undefined` when it says nothing about the start. */
export function decodeWorkStart(text = ''): WorkStart | undefined {
  const [time = '', lastPurge] = text.split(LAST_PURGE);
  return startOf(time, lastPurge === NEVER ? null : lastPurge);
}

/** Returns the field of a record, a manifest or a source record, that names the tombstone. */
export function lastPurgeField({ lastPurgeMs }: WorkStart): { lastPurge?: string | null } {
  return lastPurgeMs === undefined ? {} : { lastPurge: isoOrNull(lastPurgeMs) };
}

/**
 * Returns the start of the work that stored a record; `undefined` when it does not say.
 *
 * @param time - when the work began, ISO 8601
 * @param lastPurge - of `lastPurgeField`
 */
export function startOf(time: unknown, lastPurge: unknown): WorkStart | undefined {
  const atMs = parseTime(time);
  if (atMs === undefined) return undefined;
  return { atMs, lastPurgeMs: lastPurge === null ? 0 : parseTime(lastPurge) };
}

/** The last millisecond of the year 9999: a later time has another notation, and none of ours comes near it. */
const MAX_TIME_MS = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** Returns an ISO 8601 time in Unix milliseconds; `undefined` when it is none, or not between 1970 and 9999. */
export function parseTime(time: unknown): number | undefined {
  const timeMs = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  return timeMs >= 0 && timeMs < MAX_TIME_MS ? timeMs : undefined;
}

function isoOrNull(timeMs: number): string | null {
  return timeMs === 0 ? null : new Date(timeMs).toISOString();
}
