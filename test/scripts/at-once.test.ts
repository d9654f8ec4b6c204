import { describe, expect, it } from 'vitest';
import { eachAtOnce, inOrder } from '../../scripts/command/at-once.ts';

/** Numbers from 0, without end, of which it is counted how many were asked for. */
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

/** Waits until everything that can happen without us has. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('work at once', () => {
  it('takes an item only when there is room for it, and never does more than so many', async () => {
    const items = countingItems();
    const gates: (() => void)[] = [];
    const stop = new AbortController();
    const ended = eachAtOnce(items, 3, () => new Promise<void>((open) => gates.push(open)), stop.signal);
    await settle();
    expect({ begun: gates.length, asked: items.asked }).toEqual({ begun: 3, asked: 4 });
    gates.shift()?.();
    await settle();
    expect({ inHand: gates.length, asked: items.asked }).toEqual({ inHand: 3, asked: 5 });
    stop.abort();
    while (gates.length > 0) {
      gates.shift()?.();
      await settle();
    }
    await ended;
    expect(items.released).toBe(true);
  });

  it('ends when what is in hand has ended, once one has failed, and fails like it', async () => {
    const items = countingItems();
    const ended: number[] = [];
    const work = async (item: number) => {
      if (item === 5) throw new Error('five');
      await settle();
      ended.push(item);
    };
    await expect(eachAtOnce(items, 3, work)).rejects.toThrow('five');
    expect(ended).toEqual(
      Array.from({ length: items.asked }, (_, item) => item).filter((item) => item !== 5),
    );
    expect(items).toMatchObject({ released: true, asked: expect.toSatisfy((asked: number) => asked < 12) });
  });

  it('ends with the work in hand when there is nothing more to read', async () => {
    async function* failing() {
      yield 1;
      throw new Error('unreadable');
    }
    const ended: number[] = [];
    const work = async (item: number) => {
      await settle();
      ended.push(item);
    };
    await expect(eachAtOnce(failing(), 3, work)).rejects.toThrow('unreadable');
    expect(ended).toEqual([1]);
  });
});

describe('work in order', () => {
  it('gives what becomes of each item in their order, while others are worked on', async () => {
    const gates = new Map<number, () => void>();
    const items = countingItems();
    const results = inOrder(items, 3, async (item) => {
      await new Promise<void>((open) => gates.set(item, open));
      return item;
    });
    const first = results.next();
    await settle();
    expect([...gates.keys()]).toEqual([0, 1, 2]);
    gates.get(2)?.();
    gates.get(1)?.();
    gates.get(0)?.();
    expect(await first).toEqual({ done: false, value: 0 });
    const second = results.next();
    expect(await second).toEqual({ done: false, value: 1 });
    await settle();
    expect([...gates.keys()]).toEqual([0, 1, 2, 3]);
    gates.get(3)?.();
  });
});
