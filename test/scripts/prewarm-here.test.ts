import { describe, expect, it } from 'vitest';
import { createAccount } from '../../scripts/prewarm/account.ts';
import { prewarmHere } from '../../scripts/prewarm/here.ts';
import { createTally } from '../../scripts/prewarm/tally.ts';
import type { Units } from '../../src/unit/units.ts';

/** Waits until everything that can happen without us has. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Units whose work takes until it is let go, by the source of their image: no real store can be held like that. */
function heldUnits() {
  const log: string[] = [];
  const held = new Map<string, () => void>();
  const hold = (what: string) =>
    new Promise<void>((resolve) => {
      log.push(what);
      held.set(what, resolve);
    });
  const sources = new Map<string, string>();
  const units: Pick<Units, 'accept' | 'prewarm'> = {
    async accept(unit, { retry }) {
      const src = unit.images[0]?.src ?? '';
      await hold(`accept ${unit.id} with ${src}`);
      sources.set(unit.id, src);
      return { unit: unit.id, images: 1, retry };
    },
    async prewarm({ unit }) {
      await hold(`prewarm ${unit} with ${sources.get(unit)}`);
    },
  };
  const letGo = async (what: string) => {
    held.get(what)?.();
    await settle();
  };
  return { units, log, letGo };
}

describe('prewarming here', () => {
  it('takes up the later of two lines about a unit when the earlier is done, and others meanwhile', async () => {
    const { units, log, letGo } = heldUnits();
    async function* items() {
      for (const [id, src] of ['a1', 'a2', 'b1', 'a3'].map((text) => [...text])) {
        const images = [{ src: src ?? '' }];
        yield { line: 1, bytes: 1, unit: { id: id ?? '', images, widths: [], tiers: [], formats: [] } };
      }
    }
    const { signal } = new AbortController();
    const account = createAccount({ tally: createTally(), outputs: [], say: () => {}, signal });
    const done: string[] = [];
    const ended = prewarmHere(items(), {
      ...{ units, account, signal, retry: false },
      done: ({ unit }) => done.push(`${unit.id}${unit.images[0]?.src}`),
    });
    await settle();
    expect(log).toEqual(['accept a with 1', 'accept b with 1']);
    for (const part of ['1', '2', '3']) {
      await letGo(`accept a with ${part}`);
      expect(log.at(-1)).toBe(`prewarm a with ${part}`);
      await letGo(`prewarm a with ${part}`);
    }
    await letGo('accept b with 1');
    await letGo('prewarm b with 1');
    await ended;
    expect(done).toEqual(['a1', 'a2', 'a3', 'b1']);
  });
});
