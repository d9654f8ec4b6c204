import PQueue from 'p-queue';
import { EdgepressError } from '../protocol/error.ts';

const RETRY_AFTER_SECONDS = 5;
const SHUTTING_DOWN = 'The server is shutting down: try again';

/** Where variants are made: a bounded queue, in which no source's host can take all the places. */
export interface WorkQueue {
  /**
   * Does the work when its turn comes.
   *
   * @param host - the source's
   * @throws EdgepressError `overloaded`, at once, when there is no room to wait; else what the work throws
   */
  enter<T>(host: string, work: () => Promise<T>): Promise<T>;
  /** Refuses what has not begun, and ends when what has is done. */
  close(): Promise<void>;
}

export interface WorkQueueOptions {
  /**
   * How many variants are fetched or encoded at once. More than the encoders, so that slow sources do not leave them idle;
   * bounded, since each holds a whole source in memory.
   */
  concurrency: number;
  /** How many of these may be for one host, so that a host that hangs does not stop all others. */
  concurrencyPerHost: number;
  /** How many may be inside, those that wait included. */
  room: number;
}

export function createWorkQueue({ concurrency, concurrencyPerHost, room }: WorkQueueOptions): WorkQueue {
  const places = new PQueue({ concurrency: concurrency });
  const hosts = new Map<string, { queue: PQueue; users: number }>();
  let inside = 0;
  let closing = false;

  async function waitForTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
    const host = hosts.get(name) ?? { queue: new PQueue({ concurrency: concurrencyPerHost }), users: 0 };
    hosts.set(name, host);
    host.users++;
    try {
      return await host.queue.add(() =>
        places.add(() => (closing ? Promise.reject(overloaded(SHUTTING_DOWN)) : work())),
      );
    } finally {
      host.users--;
      if (host.users === 0) hosts.delete(name);
    }
  }

  return {
    async enter(host, work) {
      if (closing) throw overloaded(SHUTTING_DOWN);
      if (inside >= room) throw overloaded('Too many images are being made just now: try again in a moment');
      inside++;
      try {
        return await waitForTurn(host, work);
      } finally {
        inside--;
      }
    },
    async close() {
      closing = true;
      await Promise.all([...hosts.values()].map(({ queue }) => queue.onIdle()));
    },
  };
}

function overloaded(detail: string): EdgepressError {
  return new EdgepressError('overloaded', detail, {
    retryable: true,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}

/** Joins the work of this key if it is under way, else starts it. Whoever joins shares its result or its error. */
export type SingleFlight<T> = (key: string, work: () => Promise<T>) => Promise<T>;

/** Makes single flight: what many ask for at once is done once. */
export function createSingleFlight<T>(): SingleFlight<T> {
  const underWay = new Map<string, Promise<T>>();
  return (key, work) => {
    const flight = underWay.get(key) ?? work().finally(() => underWay.delete(key));
    underWay.set(key, flight);
    return flight;
  };
}
