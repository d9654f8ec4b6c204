import type { Backlog } from './backlog.ts';
import type { WaitingEvent } from './outbox.ts';
import type { SendResult } from './sender.ts';

/**
 * The most events that wait because their target refuses them: of more, the first are dropped. Refused in a row, so many are a fault of the
 * target and not of the events. A tenth of what is kept in memory, where they would keep out all others.
 */
export const MAX_REFUSED_EVENTS = 1000;

export interface RefusedInARow {
  maxRefused: number;
  /** How many events were refused since one was last delivered. One that is refused again counts once. */
  refusedInARow: number;
}

/**
 * Returns a result as it counts: a target that refuses all that it is sent has failed.
 *
 * @param wasRefused - whether the target has refused the event before
 */
export function judge(counts: RefusedInARow, result: SendResult, wasRefused: boolean): SendResult {
  if (result.state === 'delivered') counts.refusedInARow = 0;
  if (result.state !== 'refused') return result;
  if (!wasRefused) counts.refusedInARow++;
  if (counts.refusedInARow <= counts.maxRefused) return result;
  return { state: 'failed', reason: `it refuses all events: ${result.reason}` };
}

/** Drops the event that was refused first, if there are too many. Returns the one that was dropped. Never throws. */
export async function dropExcess({
  backlog,
  maxRefused,
}: {
  backlog: Pick<Backlog, 'asideSize' | 'takeAside' | 'finish' | 'setAside'>;
  maxRefused: number;
}): Promise<WaitingEvent | undefined> {
  const event = backlog.asideSize() > maxRefused ? backlog.takeAside() : undefined;
  if (!event) return undefined;
  try {
    await backlog.finish(event);
    return event;
  } catch {
    // Of the store: it is dropped later.
    backlog.setAside(event);
    return undefined;
  }
}
