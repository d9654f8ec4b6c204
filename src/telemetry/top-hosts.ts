import { LRUCache } from 'lru-cache';

/** The label of all hosts that have none of their own. */
export const OTHER_HOSTS = 'other';

/** Counts by name, such as `{ source_timeout: 3 }`. */
export type Counts = Readonly<Record<string, number>>;

/** Counts by host, of which only those with the most weight of late have an entry of their own. */
export interface TopHosts {
  /**
   * @param weight - how much this matters in the choice of hosts, such as its seconds
   * @param counts - is added to what the host has
   */
  add(host: string, weight: number, counts: Counts): void;
  /** Returns the counts of each host that has an entry, and of all others together: their sums never fall. */
  entries(): Iterable<readonly [host: string, counts: Counts]>;
}

export interface TopHostsOptions {
  /** How many hosts have an entry of their own. Default 20. */
  limit?: number;
  /** Milliseconds of a clock that never goes back. Default `performance.now`. */
  nowMs?: () => number;
}

const LIMIT = 20;
/** After this time a weight counts half: an incident of today is not hidden by what was busy yesterday. */
const HALF_LIFE_MS = 10 * 60 * 1000;
/** How many hosts are candidates for an entry. A source of more hosts than this has them forgotten again, in a few hundred kilobytes. */
const MAX_CANDIDATES = 1000;

interface Host {
  weight: number;
  /** When the weight was last brought up to date. */
  atMs: number;
}

/**
 * Returns counts with a bounded number of labels, whatever hosts are asked for: those with the most weight have their own, the rest is
 * "other". A host that loses its entry to another is counted among the others from then on, with all it had.
 */
export function createTopHosts({
  limit = LIMIT,
  nowMs = () => performance.now(),
}: TopHostsOptions = {}): TopHosts {
  const candidates = new LRUCache<string, Host>({ max: MAX_CANDIDATES });
  const top = new Map<string, { host: Host; counts: Record<string, number> }>();
  const others: Record<string, number> = {};

  function weigh(name: string, weight: number): Host {
    const host = candidates.get(name) ?? top.get(name)?.host ?? { weight: 0, atMs: nowMs() };
    host.weight = weightNow(host) + weight;
    host.atMs = nowMs();
    candidates.set(name, host);
    return host;
  }

  function weightNow({ weight, atMs }: Host): number {
    return weight * 0.5 ** ((nowMs() - atMs) / HALF_LIFE_MS);
  }

  /** Returns where to count a host: its own entry, if it has one by now, or that of the others. */
  function countsFor(name: string, host: Host): Record<string, number> {
    const own = top.get(name);
    if (own) return own.counts;
    if (top.size >= limit) {
      const [lightest] = [...top].sort(([, a], [, b]) => weightNow(a.host) - weightNow(b.host));
      if (!lightest || weightNow(lightest[1].host) >= host.weight) return others;
      top.delete(lightest[0]);
      addTo(others, lightest[1].counts);
    }
    const counts = {};
    top.set(name, { host, counts });
    return counts;
  }

  return {
    add(name, weight, counts) {
      addTo(countsFor(name, weigh(name, weight)), counts);
    },
    *entries() {
      for (const [name, { counts }] of top) yield [name, counts];
      yield [OTHER_HOSTS, others];
    },
  };
}

function addTo(sums: Record<string, number>, counts: Counts): void {
  for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count;
}
