import { describe, expect, it } from 'vitest';
import { forEachConcurrently, mapInOrder } from '../../../scripts/cli/concurrency.ts';

/** Endless numbers from 0. `asked` counts how many were read, and `released` tells whether the iterator was closed. */
function countingItems() {
  const items = { asked: 0, released: false, [Symbol.asyncIterator]: numbers };
  async function* numbers() {
    try {
      for (;;) yield items.asked++;
    } finally {
      items.released = true;
    }
  }
  return items;
}

/** Lets all pending callbacks run. */
const runPending = () => new Promise((resolve) => setImmediate(resolve));

describe('forEachConcurrently', () => {
  it('reads an item only when a place is free, and never exceeds the concurrency', async () => {
    const items = countingItems();
    const gates: (() => void)[] = [];
    const stop = new AbortController();
    const ended = forEachConcurrently(
      items,
      3,
      () => new Promise<void>((open) => gates.push(open)),
      stop.signal,
    );
    await runPending();
    expect({ started: gates.length, asked: items.asked }).toEqual({ started: 3, asked: 4 });
    gates.shift()?.();
    await runPending();
    expect({ inFlight: gates.length, asked: items.asked }).toEqual({ inFlight: 3, asked: 5 });
    stop.abort();
    while (gates.length > 0) {
      gates.shift()?.();
      await runPending();
    }
    await ended;
    expect(items.released).toBe(true);
  });

  it('rejects with the first error once the work in flight has ended', async () => {
    const items = countingItems();
    const ended: number[] = [];
    const work = async (item: number) => {
      if (item === 5) throw new Error('five');
      await runPending();
      ended.push(item);
    };
    await expect(forEachConcurrently(items, 3, work)).rejects.toThrow('five');
    expect(ended).toEqual(
      Array.from({ length: items.asked }, (_, item) => item).filter((item) => item !== 5),
    );
    expect(items).toMatchObject({ released: true, asked: expect.toSatisfy((asked: number) => asked < 12) });
  });

  it('rejects with the error of the items once the work in flight has ended', async () => {
    async function* failing() {
      yield 1;
      throw new Error('unreadable');
    }
    const ended: number[] = [];
    const work = async (item: number) => {
      await runPending();
      ended.push(item);
    };
    await expect(forEachConcurrently(failing(), 3, work)).rejects.toThrow('unreadable');
    expect(ended).toEqual([1]);
  });
});

describe('mapInOrder', () => {
  it('yields results in the order of the items while it works on the next ones', async () => {
    const gates = new Map<number, () => void>();
    const items = countingItems();
    const results = mapInOrder(items, 3, async (item) => {
      await new Promise<void>((open) => gates.set(item, open));
      return item;
    });
    const first = results.next();
    await runPending();
    expect([...gates.keys()]).toEqual([0, 1, 2]);
    gates.get(2)?.();
    gates.get(1)?.();
    gates.get(0)?.();
    expect(await first).toEqual({ done: false, value: 0 });
    const second = results.next();
    expect(await second).toEqual({ done: false, value: 1 });
    await runPending();
    expect([...gates.keys()]).toEqual([0, 1, 2, 3]);
    gates.get(3)?.();
  });
});
