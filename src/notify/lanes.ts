import type { WaitingEvent } from './outbox.ts';

/**
 * Events in memory that are to be sent, one lane for each unit: while an event is in flight, or has to be sent again, no later one of its unit
 * is sent. Units take turns.
 */
export interface Lanes {
  /** Adds an event, unless it is there. */
  add(event: WaitingEvent): void;
  /** Returns the next event to be sent, which is then in flight; `undefined` if there is none. */
  take(): WaitingEvent | undefined;
  /** The same, of those that were set aside. */
  takeAside(): WaitingEvent | undefined;
  /** An event was delivered or dropped. */
  done(event: WaitingEvent): void;
  /** An event is to be sent again, before those of other units. */
  putBack(event: WaitingEvent): void;
  /** An event is to be sent again, after those of other units. */
  putLast(event: WaitingEvent): void;
  /** An event is to be sent again, but others need not wait for it. */
  setAside(event: WaitingEvent): void;
  /** How many events there are, those in flight included. */
  size(): number;
  /** How many events were set aside. */
  asideSize(): number;
  /** Whether all events wait for one that was set aside, or are one. */
  areAside(): boolean;
}

export function createLanes(): Lanes {
  const keys = new Set<string>();
  const lanes = new Map<string, WaitingEvent[]>();
  /** The units whose first event may be sent. */
  const free: string[] = [];
  /** The units whose first event was set aside. */
  const aside: string[] = [];

  function firstOf(units: string[]): WaitingEvent | undefined {
    const unit = units.shift();
    return unit === undefined ? undefined : lanes.get(unit)?.[0];
  }

  return {
    add(event) {
      if (keys.has(event.key)) return;
      keys.add(event.key);
      const lane = lanes.get(event.unit);
      if (lane) {
        lane.push(event);
      } else {
        lanes.set(event.unit, [event]);
        free.push(event.unit);
      }
    },
    take: () => firstOf(free),
    takeAside: () => firstOf(aside),
    done({ key, unit }) {
      keys.delete(key);
      const lane = lanes.get(unit) ?? [];
      lane.shift();
      if (lane.length > 0) free.push(unit);
      else lanes.delete(unit);
    },
    putBack: ({ unit }) => void free.unshift(unit),
    putLast: ({ unit }) => void free.push(unit),
    setAside: ({ unit }) => void aside.push(unit),
    size: () => keys.size,
    asideSize: () => aside.length,
    areAside: () => lanes.size === aside.length,
  };
}
