/**
 * Runs work under a key, or joins the work of this key that is in flight and shares its result or error.
 *
 * @param signal - of the caller: it stops to wait. Once all callers have, the signal of the work aborts, and the next caller starts anew
 * @throws what the work throws; or the reason of the signal
 */
export type SingleFlight<T> = (
  key: string,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
) => Promise<T>;

/** Why work was given up: all who wanted its result have left. */
export class Abandoned extends Error {
  override readonly name = 'Abandoned';

  constructor() {
    super('nobody waits for this any more');
  }
}

interface Flight<T> {
  result: Promise<T>;
  controller: AbortController;
  waiting: number;
}

/** Returns a single flight: what many callers request at the same time is done once. */
export function createSingleFlight<T>(): SingleFlight<T> {
  const inFlight = new Map<string, Flight<T>>();

  function start(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    // It ends before its callers get the result: what they start then is another.
    const result = work(controller.signal).finally(() => end(key, flight));
    const flight: Flight<T> = { result, controller, waiting: 0 };
    inFlight.set(key, flight);
    // The callers get the error, if they are still there.
    result.catch(() => {});
    return flight;
  }

  function end(key: string, flight: Flight<T>): void {
    if (inFlight.get(key) === flight) inFlight.delete(key);
  }

  return async (key, signal, work) => {
    signal?.throwIfAborted();
    const flight = inFlight.get(key) ?? start(key, work);
    flight.waiting++;
    const leave = () => {
      if (--flight.waiting > 0) return;
      // First: what comes now must not join what is about to fail.
      end(key, flight);
      flight.controller.abort(new Abandoned());
    };
    return await untilAborted(flight.result, signal, leave);
  };
}

/**
 * Waits for a result or an abort, whichever is first.
 *
 * @param onAbort - called at the abort
 * @throws the reason of the signal
 */
async function untilAborted<T>(
  result: Promise<T>,
  signal: AbortSignal | undefined,
  onAbort: () => void,
): Promise<T> {
  if (!signal) return await result;
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => {
      // First: what waits must not learn of the result's failure before.
      reject(signal.reason);
      onAbort();
    };
    signal.addEventListener('abort', stop, { once: true });
  });
  return await Promise.race([result, aborted]).finally(() => signal.removeEventListener('abort', stop));
}
