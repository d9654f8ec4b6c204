import type { LockOptions, Locks } from '../locks.ts';
import type { MetricSource } from './metric-source.ts';
import { currentContext } from './request-context.ts';

/** Locks, and how many in this process hold and await each kind. The kind is the first word of a lock's name. */
export interface ObservedLocks {
  locks: Locks;
  /** Returns other locks, observed together with these. */
  observe(others: Locks): Locks;
  metricSources: readonly MetricSource[];
}

interface Kind {
  held: number;
  waiting: number;
}

/** The prefix of the steps of a request in which it waits for a lock; the kind follows. */
export const WAIT_STEP = 'wait_';

/** Returns locks that count who holds and awaits them, and tell the context of each request how long it waited. */
export function observeLocks(locks: Locks): ObservedLocks {
  const kinds = new Map<string, Kind>();

  function kindOf(name: string): [string, Kind] {
    const end = name.indexOf(' ');
    const word = end < 0 ? name : name.slice(0, end);
    const kind = kinds.get(word) ?? { held: 0, waiting: 0 };
    kinds.set(word, kind);
    return [word, kind];
  }

  async function run<T>(
    inner: Locks,
    name: string,
    options: LockOptions,
    work: (hasWaited: boolean) => Promise<T>,
  ): Promise<T> {
    const [word, kind] = kindOf(name);
    const startMs = performance.now();
    let isHeld = false;
    kind.waiting += 1;
    try {
      return await inner.run(name, options, async (hasWaited) => {
        isHeld = true;
        kind.waiting -= 1;
        kind.held += 1;
        const step = { name: `${WAIT_STEP}${word}`, startMs, endMs: performance.now() };
        if (hasWaited) currentContext()?.onStep?.(step);
        return await work(hasWaited);
      });
    } finally {
      if (isHeld) kind.held -= 1;
      else kind.waiting -= 1;
    }
  }

  const observe = (inner: Locks): Locks => ({ run: (...request) => run(inner, ...request) });
  const read = (count: keyof Kind) => () =>
    [...kinds].map(([lock, kind]) => ({ labels: { lock }, value: kind[count] }));
  const gauge = { type: 'gauge', labelNames: ['lock'] } as const;
  return {
    locks: observe(locks),
    observe,
    metricSources: [
      { ...gauge, name: 'locks_held', help: 'Work that holds a place or a permit', read: read('held') },
      { ...gauge, name: 'locks_waiting', help: 'Work that waits for one', read: read('waiting') },
    ],
  };
}
