import { describe, expect, it } from 'vitest';
import { prewarmLocally } from '../../../scripts/prewarm/local-run.ts';
import { createRecorder } from '../../../scripts/prewarm/recorder.ts';
import { createTotals } from '../../../scripts/prewarm/totals.ts';
import type { Job } from '../../../src/queue/queue.ts';
import type { Units } from '../../../src/unit/units.ts';

/** Lets all pending callbacks run. */
const runPending = () => new Promise((resolve) => setImmediate(resolve));

/** Units whose work waits until `release` is called with its name. A real store cannot be held like that. */
function createHeldUnits() {
  const log: string[] = [];
  const held = new Map<string, () => void>();
  const hold = (what: string) =>
    new Promise<void>((resolve) => {
      log.push(what);
      held.set(what, resolve);
    });
  const sources = new Map<string, string>();
  const units: Pick<Units, 'submit'> = {
    async submit(unit, { retry }) {
      const src = unit.images[0]?.src ?? '';
      await hold(`accept ${unit.id} with ${src}`);
      sources.set(unit.id, src);
      return { unit: unit.id, images: 1, retry };
    },
  };
  const processJob = async ({ unit }: Job) => await hold(`prewarm ${unit} with ${sources.get(unit)}`);
  const release = async (what: string) => {
    held.get(what)?.();
    await runPending();
  };
  return { units, processJob, log, release };
}

describe('prewarmLocally', () => {
  it('starts a later line about a unit when the earlier one is done, and other units meanwhile', async () => {
    const { units, processJob, log, release } = createHeldUnits();
    async function* items() {
      for (const [id, src] of ['a1', 'a2', 'b1', 'a3'].map((text) => [...text])) {
        const images = [{ src: src ?? '' }];
        yield { line: 1, bytes: 1, unit: { id: id ?? '', images, widths: [], tiers: [], formats: [] } };
      }
    }
    const { signal } = new AbortController();
    const recorder = createRecorder({ totals: createTotals(), outputs: [], onMessage: () => {}, signal });
    const done: string[] = [];
    const ended = prewarmLocally(items(), {
      ...{ units, processJob, recorder, signal, retry: false },
      onDone: ({ unit }) => done.push(`${unit.id}${unit.images[0]?.src}`),
    });
    await runPending();
    expect(log).toEqual(['accept a with 1', 'accept b with 1']);
    for (const part of ['1', '2', '3']) {
      await release(`accept a with ${part}`);
      expect(log.at(-1)).toBe(`prewarm a with ${part}`);
      await release(`prewarm a with ${part}`);
    }
    await release('accept b with 1');
    await release('prewarm b with 1');
    await ended;
    expect(done).toEqual(['a1', 'a2', 'a3', 'b1']);
  });
});
