import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { takeFetchPlace } from '../../src/variant/fetch-place.ts';
import { overloaded } from '../../src/variant/overloaded.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** Takes a place, where there are as many as anyone wants. */
async function setUp() {
  const held: string[] = [];
  const priorities: unknown[] = [];
  const silences: boolean[] = [];
  const place = await takeFetchPlace({
    ...{ fetches: 1, share: { key: 'a', limit: 1 } },
    async takePlace(name, { signal, priority }) {
      signal?.throwIfAborted();
      if (name === 'fetch') priorities.push(priority);
      held.push(name);
      return () => void held.splice(held.indexOf(name), 1);
    },
    onSilence: (isSilent) => void silences.push(isSilent),
  });
  return { held, priorities, silences, place };
}

it('A place goes to others while the source does not answer, and is taken again when it does, before that of new fetches', async () => {
  const { held, priorities, silences, place } = await setUp();
  expect(held).toEqual(['request', 'fetch']);
  vi.advanceTimersByTime(1000);
  expect(held).toEqual(['request']);
  await place.onAnswer();
  expect(held).toEqual(['request', 'fetch']);
  expect(silences).toEqual([true, false]);
  expect(priorities).toEqual([0, 1]);
  place.free();
  expect(held).toEqual([]);
});

it.each([
  ['has begun to answer', 'onAnswer'],
  ['was read', 'onFetched'],
] as const)('A place is kept for as long as need be once the source %s', async (_, happens) => {
  const { held, place } = await setUp();
  await place[happens]();
  vi.advanceTimersByTime(60_000);
  expect(held).toEqual(['request', 'fetch']);
  place.free();
});

it('A place goes to others while hardly anything of an answer comes, and is taken again when it goes on', async () => {
  const { held, priorities, silences, place } = await setUp();
  await place.onAnswer();
  place.onStall();
  expect(held).toEqual(['request']);
  await place.onAnswer();
  expect(held).toEqual(['request', 'fetch']);
  expect([priorities, silences]).toEqual([
    [0, 1],
    [false, true, false],
  ]);
  place.free();
  place.onStall();
  expect([held, silences.length]).toEqual([[], 3]);
});

it('A source that answers when its fetch is over gets no place, and is not counted any more', async () => {
  const { held, silences, place } = await setUp();
  place.free();
  vi.advanceTimersByTime(1000);
  await expect(place.onAnswer()).rejects.toThrow('the fetch is over');
  expect(held).toEqual([]);
  expect(silences).toEqual([]);
});

it('A place that comes when the fetch is over goes back, and one that it still waits for is not wanted any more', async () => {
  const held: string[] = [];
  const signals: (AbortSignal | undefined)[] = [];
  let give = () => {};
  const place = await takeFetchPlace({
    ...{ fetches: 1, share: { key: 'a', limit: 1 }, onSilence: () => {} },
    async takePlace(name, { signal, priority }) {
      signals.push(signal);
      if (priority === 1) await new Promise<void>((resolve) => (give = resolve));
      held.push(name);
      return () => void held.splice(held.indexOf(name), 1);
    },
  });
  place.onStall();
  const waiting = place.onAnswer();
  place.free();
  expect(signals.at(-1)?.aborted).toBe(true);
  give();
  await expect(waiting).rejects.toThrow('the fetch is over');
  expect(held).toEqual([]);
});

it('A fetch that gets no place makes no request', async () => {
  const held: string[] = [];
  const taking = takeFetchPlace({
    ...{ fetches: 1, share: { key: 'a', limit: 1 }, onSilence: () => {} },
    async takePlace(name) {
      if (name === 'fetch') throw new Error('too late');
      held.push(name);
      return () => void held.splice(held.indexOf(name), 1);
    },
  });
  await expect(taking).rejects.toThrow('too late');
  expect(held).toEqual([]);
});

it('A refusal has no stack, and errors after it have theirs', () => {
  expect(overloaded('try again').stack).not.toContain('    at ');
  expect(new Error('a bug').stack).toContain('    at ');
});
