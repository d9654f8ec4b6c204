/**
 * Port: bounds the fetches of bulk work from one host, over all processes that work off one queue. A slot is for one fetch at a time.
 */
export interface HostSlots {
  /**
   * Resolves when this process seems to have a free slot of the source's host.
   *
   * @throws EdgepressError the refusal of the host (`isHostRefusal`) if it has asked any process for a pause; or `overloaded` (`isCrowded`)
   *   if this process gets no slot for too long
   * @throws the reason of the abort signal
   */
  ready(src: string): Promise<void>;
  /** Takes a free slot. Returns the function that gives it back, or `undefined` if there is none any more. */
  tryTake(src: string): (() => void) | undefined;
  /** To be called with the error of a fetch: a `Retry-After` of the host then holds for all processes. */
  failed(src: string, error: unknown): void;
  /** Gives all slots back to other processes, once no fetch is in flight. */
  close(): Promise<void>;
}

/** Returns slots without a bound: for a process that works off the queue alone, whose rate limiter is enough. */
export function createUnboundedSlots(): HostSlots {
  return {
    ready: async () => {},
    tryTake: () => () => {},
    failed: () => {},
    close: async () => {},
  };
}

/** Whether an error means that other processes used all slots of a host for too long: the work is to be done later. */
export function isCrowded(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Crowded;
}

/** Marks an error as one of too many processes for one host: nothing is wrong with the host or the source. */
export class Crowded extends Error {
  override readonly name = 'Crowded';
}
