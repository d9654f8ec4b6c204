import { createRefusedTurns } from './refused-turns.ts';
import { createServiceTime, type ServiceTime } from './service-time.ts';

/** Where a piece of work is: it waits for a place to fetch; fetches; has fetched, and waits for a place to encode; or encodes. */
export type QueueStep = 'wait' | 'fetch' | 'fetched' | 'encode';

/** A piece of work in the queue. */
export interface QueuedWork {
  readonly host: string;
  /** `undefined` before and after it is in the queue. */
  step: QueueStep | undefined;
  /** Whether it fetches, and its source does not answer. */
  isSilent?: boolean;
}

/** What is in a work queue, and how long that will take. */
export interface QueueLoad {
  /**
   * Moves work to another step, or out of the queue.
   *
   * @param isDone - whether the last step was brought to its end, in success or failure. Default: `true`
   */
  move(work: QueuedWork, step: QueueStep | undefined, isDone?: boolean): void;
  /** Notes that the source of work that fetches does not answer, or does now. */
  setSilent(work: QueuedWork, isSilent: boolean): void;
  /** Returns how long new work of a host would have to wait now, in milliseconds. */
  expectedWaitMs(host: string): number;
  /** Returns when work of a host that is refused now can expect a turn, in milliseconds, after those that were refused before it. */
  retryAfterMs(host: string): number;
  /** Returns whether the queue has not been nearly empty for so long that more than a burst waits in it. */
  isStanding(): boolean;
  /** Returns the host with the most work that waits for a place to fetch. */
  busiestHost(): { host: string; waiting: number };
  /** Returns how much work of a host waits for a place to fetch. */
  waitingOf(host: string): number;
}

/** The work of one host. It is forgotten with its last piece of work. */
interface HostLoad {
  waiting: number;
  /** Its places to fetch. They are held until there is a place to encode. */
  places: ServiceTime;
  /** How many of its fetches have no answer. */
  silent: number;
}

/**
 * What encoding takes before it has been measured: less than it does, since a burst that meets a new process is better admitted than
 * refused. It is measured within a second.
 */
const ASSUMED_ENCODE_MS = 50;
/** A queue that has been longer than this for all of this time is a standing one, whose wait serves nobody (as in CoDel, RFC 8289, section 3). */
const CALM_WAIT_MS = 1000;
const BURST_MS = 10_000;

export interface QueueLoadOptions {
  /** How many encodes run at a time for this queue; a fraction if several processes share the encoders. */
  encoders: number;
  /** The time of a monotonic clock, in milliseconds. */
  nowMs: () => number;
}

/** Measures what a work queue does, from which it tells how long new work would wait. */
export function createQueueLoad({ encoders, nowMs }: QueueLoadOptions): QueueLoad {
  const encodes = createServiceTime({ servers: encoders, assumedMs: ASSUMED_ENCODE_MS, nowMs });
  const refused = createRefusedTurns(nowMs);
  const hosts = new Map<string, HostLoad>();
  let waitingToEncode = 0;
  let calmAtMs = nowMs();

  function loadOf(host: string): HostLoad {
    const known = hosts.get(host);
    if (known) return known;
    const places = createServiceTime({ servers: Infinity, assumedMs: 0, nowMs });
    const load = { waiting: 0, places, silent: 0 };
    hosts.set(host, load);
    return load;
  }

  /** How long new work would wait for an encoder: hosts take turns, so it overtakes those of hosts that have more. */
  function encodeWaitMs(host: string): number {
    const ownWaiting = hosts.get(host)?.waiting ?? 0;
    let ahead = encodes.items + waitingToEncode;
    for (const { waiting, places, silent } of hosts.values()) {
      // What waits for a host that does not answer will not be encoded soon.
      if (silent === 0 || silent < places.items) ahead += Math.min(waiting, ownWaiting + 1);
    }
    return ahead < encoders ? 0 : ((ahead + 1 - encoders) * encodes.meanMs()) / encoders;
  }

  /** How long new work would wait for a place to fetch that its host has now. */
  function fetchWaitMs(host: string): number {
    const load = hosts.get(host);
    if (!load || load.waiting === 0) return 0;
    return (load.waiting * load.places.meanMs()) / Math.max(1, load.places.items);
  }

  function noteCalm(host: string): number {
    const waitMs = encodeWaitMs(host);
    if (waitMs < CALM_WAIT_MS) calmAtMs = nowMs();
    return waitMs;
  }

  function setSilent(work: QueuedWork, isSilent: boolean): void {
    const wasSilent = work.isSilent ?? false;
    work.isSilent = isSilent;
    loadOf(work.host).silent += Number(isSilent) - Number(wasSilent);
  }

  return {
    setSilent,
    move(work, step, isDone = true) {
      const load = loadOf(work.host);
      setSilent(work, false);
      if (work.step === 'encode') encodes.leave(isDone);
      if (step === 'encode') encodes.enter();
      if (holdsPlace(work.step) && !holdsPlace(step)) load.places.leave(isDone);
      if (!holdsPlace(work.step) && holdsPlace(step)) load.places.enter();
      load.waiting += Number(step === 'wait') - Number(work.step === 'wait');
      waitingToEncode += Number(step === 'fetched') - Number(work.step === 'fetched');
      work.step = step;
      if (load.waiting + load.places.items === 0) hosts.delete(work.host);
    },
    expectedWaitMs: (host) => Math.max(noteCalm(host), fetchWaitMs(host)),
    retryAfterMs(host) {
      const fetchMs = fetchWaitMs(host);
      const encodeMs = encodeWaitMs(host);
      return fetchMs > encodeMs ? fetchMs : encodeMs + refused.add(encodes.meanMs() / encoders);
    },
    isStanding: () => nowMs() - calmAtMs > BURST_MS,
    busiestHost() {
      let busiest = { host: '', waiting: 0 };
      for (const [host, { waiting }] of hosts) if (waiting > busiest.waiting) busiest = { host, waiting };
      return busiest;
    },
    waitingOf: (host) => hosts.get(host)?.waiting ?? 0,
  };
}

/** Whether work holds a place to fetch. */
function holdsPlace(step: QueueStep | undefined): boolean {
  return step === 'fetch' || step === 'fetched';
}
