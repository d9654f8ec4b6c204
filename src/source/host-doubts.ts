import type { Entry } from '../circuit-breaker.ts';

/**
 * What is known of hosts whose requests were given up before they were answered, since nobody waited any more. Neither does the host work, as
 * far as anyone knows, nor does it not: viewers may just be impatient. So the first such request of a host goes on alone, until it is answered
 * or its time is over, and what it finds holds for those that were given up meanwhile.
 */
export interface HostDoubts {
  /**
   * A request was given up.
   *
   * @returns the request that goes on, to be called with what becomes of it; `undefined`: this one does not go on
   */
  add(host: string, request: DoubtedRequest): Witness | undefined;
  /** The host has answered any request: those that were given up say nothing any more. */
  clear(host: string): void;
}

/** A request that was given up. */
export interface DoubtedRequest {
  entry: Entry;
  resource: string;
}

/** The request of a host that goes on. Exactly one of its methods has to be called; only the first call counts. */
export interface Witness {
  /** The time of a request is over, and nothing came. */
  timedOut(error: Error): void;
  /** It ended in another way, in whatever way: it says nothing of the others. */
  ended(): void;
}

/** So many are enough to open a circuit, even if all are about one resource. */
const MAX_REQUESTS = 15;

export function createHostDoubts(): HostDoubts {
  /** By the hosts of which a request goes on. */
  const doubts = new Map<string, DoubtedRequest[]>();

  function clear(host: string): void {
    for (const { entry } of doubts.get(host)?.splice(0) ?? []) entry.abandoned();
  }

  return {
    clear,
    add(host, request) {
      const others = doubts.get(host);
      if (others) {
        if (others.length < MAX_REQUESTS) others.push(request);
        else request.entry.abandoned();
        return undefined;
      }
      doubts.set(host, []);
      let hasEnded = false;
      const end = (settle: () => void) => {
        if (hasEnded) return;
        hasEnded = true;
        settle();
        clear(host);
        doubts.delete(host);
      };
      return {
        timedOut: (error) =>
          end(() => {
            for (const { entry, resource } of [request, ...(doubts.get(host) ?? [])])
              entry.failed(error, resource);
          }),
        ended: () => end(() => request.entry.abandoned()),
      };
    },
  };
}
