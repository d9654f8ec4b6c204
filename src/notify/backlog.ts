import { createLanes, type Lanes } from './lanes.ts';
import type { Outbox, WaitingEvent } from './outbox.ts';
import type { UnitEvent } from './unit-event.ts';

/** The events that wait for one target: all of them in the store, the next ones in memory. */
export interface Backlog
  extends Pick<Lanes, 'take' | 'takeAside' | 'putBack' | 'putLast' | 'setAside' | 'asideSize'> {
  /** @throws the error of the store */
  add(event: UnitEvent): Promise<void>;
  /** Removes an event that was delivered or dropped. Throws the error of the store. */
  finish(event: WaitingEvent): Promise<void>;
  /** So many events were removed from the store. */
  noteRemoved(events: number): void;
  /** There may be events in the store that this process does not know. */
  takeUp(): void;
  /** Whether events should be listed: few are in memory, and the store may have more. */
  needsListing(): boolean;
  /**
   * Lists the store, and keeps the first events in memory. Calls during a listing share it.
   *
   * @throws the error of the store
   */
  list(): Promise<void>;
  /** Whether nothing is to be sent but what was set aside. */
  isDone(): boolean;
  /** About how many events wait. */
  size(): number;
}

/** The most events in memory; some megabytes. The others are listed again when few are left. */
const MAX_IN_MEMORY = 10_000;
const REFILL_SHARE = 0.25;

export function createBacklog(outbox: Outbox): Backlog {
  const lanes = createLanes();
  /** Whether the store may have events that are not in memory. Then new ones go there only, so that they overtake none. */
  let mayHaveMore = false;
  let isCounted = false;
  let listing: Promise<void> | undefined;
  let size = 0;

  /** The first time it lists all, to count what waits, while events are sent already. */
  async function fill(): Promise<void> {
    mayHaveMore = false;
    if (!isCounted) size = 0;
    for await (const event of outbox.list()) {
      if (!isCounted) size++;
      if (lanes.size() < MAX_IN_MEMORY) lanes.add(event);
      else mayHaveMore = true;
      if (mayHaveMore && isCounted) return;
    }
    isCounted = true;
    // All that waits is in memory: from here on the number is exact, whatever other processes have sent.
    if (!mayHaveMore) size = lanes.size();
  }

  return {
    async add(event) {
      const waiting = await outbox.add(event);
      size++;
      if (mayHaveMore || listing || lanes.size() >= MAX_IN_MEMORY) mayHaveMore = true;
      else lanes.add(waiting);
    },
    take: lanes.take,
    takeAside: lanes.takeAside,
    putBack: lanes.putBack,
    putLast: lanes.putLast,
    setAside: lanes.setAside,
    asideSize: lanes.asideSize,
    async finish(event) {
      await outbox.remove([event.key]);
      size = Math.max(size - 1, 0);
      lanes.done(event);
    },
    noteRemoved(events) {
      size = Math.max(size - events, 0);
    },
    takeUp() {
      mayHaveMore = true;
    },
    needsListing: () => !listing && mayHaveMore && lanes.size() <= MAX_IN_MEMORY * REFILL_SHARE,
    list() {
      listing ??= fill()
        .catch((error: unknown) => {
          mayHaveMore = true;
          throw error;
        })
        .finally(() => {
          listing = undefined;
        });
      return listing;
    },
    isDone: () => lanes.areAside() && !mayHaveMore && !listing,
    size: () => size,
  };
}
