/** Measures how much time of a server one item takes, where items are served by several servers and wait for them. */
export interface ServiceTime {
  /** An item has come: it waits for a server or is served. */
  enter(): void;
  /**
   * An item has gone.
   *
   * @param isDone - whether it was served to its end, in success or failure
   */
  leave(isDone: boolean): void;
  /** How many items are there. */
  readonly items: number;
  /** Returns the time of one server that an item takes, in milliseconds. */
  meanMs(): number;
}

export interface ServiceTimeOptions {
  /** How many items are served at a time; a fraction if the servers are shared with others. */
  servers: number;
  /** What an item is assumed to take before one has been measured, in milliseconds. */
  assumedMs: number;
  /** The time of a monotonic clock, in milliseconds. */
  nowMs: () => number;
}

/** How much an item that has left counts when the next one leaves: the mean is about the last fifteen. */
const DECAY = 15 / 16;

/**
 * By the utilization law (Denning and Buzen, "The Operational Analysis of Queueing Network Models", ACM Computing Surveys 10(3), 1978):
 * the mean service time is the time that servers were busy, divided by the items that they have completed meanwhile. It holds for idle
 * and for overloaded servers, in whatever order they serve.
 */
export function createServiceTime({ servers, assumedMs, nowMs }: ServiceTimeOptions): ServiceTime {
  let items = 0;
  let busyMs = assumedMs;
  let completed = 1;
  let sinceMs = nowMs();

  function advance(): void {
    const now = nowMs();
    busyMs += (now - sinceMs) * Math.min(items, servers);
    sinceMs = now;
  }

  return {
    enter() {
      advance();
      items++;
    },
    leave(isDone) {
      advance();
      items--;
      if (!isDone) return;
      busyMs *= DECAY;
      completed = completed * DECAY + 1;
    },
    get items() {
      return items;
    },
    meanMs() {
      advance();
      // Those that are being served are half done, on average.
      return busyMs / (completed + Math.min(items, servers) / 2);
    },
  };
}
