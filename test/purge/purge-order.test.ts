import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNoCdn } from '../../src/cdn/cdn.ts';
import { sha256 } from '../../src/hashing.ts';
import { unitAddress } from '../../src/protocol/keys.ts';
import { encodeWorkStart } from '../../src/protocol/work-start.ts';
import { createPurge } from '../../src/purge/purge.ts';
import { createPurgeSweep } from '../../src/purge/sweep.ts';
import { createTombstones } from '../../src/purge/tombstones.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { createMemoryStore } from '../support/store/memory-store.ts';

const UNIT = 'unit-1';
const { folder, tombstoneKey } = unitAddress(UNIT, sha256);

/** What the processes do, each in its own order: writers die before their check of the tombstone, or do not. */
type Action = 'purge' | 'write' | 'write and die' | 'sweep';
const anyActions = fc.array(fc.constantFrom<Action>('purge', 'write', 'write', 'write and die', 'sweep'), {
  minLength: 1,
  maxLength: 5,
});
/** A clock may stand still, jump and go back at every look. Milliseconds, so close together that times coincide. */
const anyClock = fc.array(fc.oneof(fc.nat(5), fc.nat(4_000_000_000_000)), { minLength: 1, maxLength: 12 });
/** The tombstone that is there before: none, or one of the past or the future. */
const anyTombstone = fc.option(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.nat(5_000_000_000_000)));

const anyRace = fc.record({
  processes: fc.tuple(anyActions, anyActions),
  clocks: fc.tuple(anyClock, anyClock),
  storeClockSteps: fc.array(fc.nat(5000), { minLength: 1, maxLength: 10 }),
  tombstoneMs: anyTombstone,
  /** Which puts S3 refuses because another is in progress. */
  refusals: fc.array(fc.boolean(), { minLength: 1, maxLength: 6 }),
  scheduler: fc.scheduler(),
});
type Race = typeof anyRace extends fc.Arbitrary<infer T> ? T : never;

/** What happened, in order. */
interface Write {
  key: string;
  /** Whether the writer died before its check. */
  isDead: boolean;
  /** The moments between which it began: when it was asked to, and when it had seen the tombstone. */
  calledAt: number;
  begunAt: number;
}
interface Purge {
  calledAt: number;
  endedAt: number;
}

async function run({ processes, clocks, storeClockSteps, tombstoneMs, refusals, scheduler }: Race) {
  let moment = 0;
  let storeMs = 1_000_000;
  const nextStoreMs = cycle(storeClockSteps);
  const memory = createMemoryStore(
    async (operation) => void (await scheduler.schedule(Promise.resolve(), operation)),
    () => (storeMs += nextStoreMs()),
  );
  const isRefused = cycle([...refusals, false]);
  const store: VariantStore = {
    ...memory,
    replace: async (...args) => (isRefused() ? undefined : await memory.replace(...args)),
  };
  const writes: Write[] = [];
  const purges: Purge[] = [];
  const now = () => ++moment;

  if (tombstoneMs !== null) {
    const put = store.put(tombstoneKey, new TextEncoder().encode(new Date(tombstoneMs).toISOString()), {
      contentType: 'text/plain',
    });
    await scheduler.waitFor(put);
  }

  function startProcess(clock: readonly number[]) {
    const nowMs = cycle(clock);
    const tombstones = createTombstones(store, sha256, nowMs);
    const options = { store, tombstones, sha256, nowMs };
    const onError = (_operation: string, _key: string, error: unknown) => {
      throw error;
    };
    const sweep = createPurgeSweep({ ...options, invalidate: () => {}, onError });
    return { sweep, purge: createPurge({ ...options, cdn: createNoCdn() }) };
  }

  async function write({ sweep }: ReturnType<typeof startProcess>, isDead: boolean): Promise<void> {
    const calledAt = now();
    const start = await sweep.beginWork(UNIT);
    const begunAt = now();
    const key = `${folder}/${'a'.repeat(32)}/${calledAt}-high.avif`;
    writes.push({ key, isDead, calledAt, begunAt });
    const metadata = { began: encodeWorkStart(start) };
    await store.put(key, new Uint8Array(8), { contentType: 'image/avif', metadata });
    if (!isDead) await sweep.checkTombstone(UNIT, start, [key]);
  }

  async function act(process: ReturnType<typeof startProcess>, action: Action): Promise<void> {
    if (action === 'sweep') return await process.sweep.sweepUnit(UNIT);
    if (action !== 'purge') return await write(process, action === 'write and die');
    const calledAt = now();
    await process.purge([UNIT]);
    purges.push({ calledAt, endedAt: now() });
  }

  const [first, second] = clocks.map(startProcess) as [
    ReturnType<typeof startProcess>,
    ReturnType<typeof startProcess>,
  ];
  // A process does its actions one after the other, and two rows of each at the same time.
  const rows = [first, second].flatMap((process, index) =>
    [processes[index] ?? [], [...(processes[index] ?? [])].reverse()].map(async (actions) => {
      for (const action of actions) await act(process, action);
    }),
  );
  await scheduler.waitFor(Promise.all(rows));
  await scheduler.waitFor(first.sweep.sweepUnit(UNIT));
  const listing = (async () => {
    const keys: string[] = [];
    for await (const { key } of store.list(folder)) keys.push(key);
    return keys;
  })();
  return { writes, purges, stored: new Set(await scheduler.waitFor(listing)) };
}

/** @param values - at least one */
function cycle<T>(values: readonly T[]): () => T {
  let index = 0;
  return () => values[index++ % values.length] as T;
}

describe('for any interleaving and any clocks of two processes', () => {
  it('nothing that began before a purge is stored in the end, and what began after all purges is', async () => {
    const property = fc.asyncProperty(anyRace, async (race) => {
      const { writes, purges, stored } = await run(race);
      for (const { key, calledAt, begunAt } of writes) {
        if (purges.some((purge) => begunAt < purge.calledAt)) expect(stored).not.toContain(key);
        if (purges.every((purge) => purge.endedAt < calledAt)) expect(stored).toContain(key);
      }
    });
    await fc.assert(property, { numRuns: 500 });
  });
});
