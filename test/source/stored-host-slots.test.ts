import { expect, onTestFinished, test } from 'vitest';
import { sha256 } from '../../src/hashing.ts';
import { EdgepressError } from '../../src/protocol/error.ts';
import { isHostRefusal } from '../../src/source/host-breakers.ts';
import { type HostSlots, isCrowded } from '../../src/source/host-slots.ts';
import { createStoredHostSlots } from '../../src/source/stored-host-slots.ts';
import { createMemoryStore } from '../support/store/memory-store.ts';

const SRC = 'https://a.test/1.jpg';

/** Slots of several processes that share a store, which counts its requests. */
function setUp({ limit = 2, maxWaitMs = 30_000, readMs = 10 } = {}) {
  const store = createMemoryStore();
  const requests = { get: 0, replace: 0 };
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  return {
    requests,
    stop,
    createSlots(): HostSlots {
      const slots = createStoredHostSlots({
        store: {
          get(key) {
            requests.get += 1;
            return store.get(key);
          },
          replace(...replacement) {
            requests.replace += 1;
            return store.replace(...replacement);
          },
        },
        ...{ sha256, limit, fetchTimeoutMs: 1000, signal: stop.signal, maxWaitMs, readMs },
        onError: (error) => expect.unreachable(String(error)),
      });
      onTestFinished(() => slots.close());
      return slots;
    },
  };
}

async function take(slots: HostSlots, src = SRC): Promise<() => void> {
  for (;;) {
    await slots.ready(src);
    const giveBack = slots.tryTake(src);
    if (giveBack) return giveBack;
  }
}

test('a thousand fetches in a row take one lease', async () => {
  const { requests, createSlots } = setUp({ readMs: 60_000 });
  const slots = createSlots();
  for (let fetch = 0; fetch < 1000; fetch++) (await take(slots))();
  expect(requests).toEqual({ get: 1, replace: 1 });
  await slots.close();
  expect(requests).toEqual({ get: 2, replace: 2 });
});

test('a process that needs no slot any more leaves them to one that waits', async () => {
  const { createSlots } = setUp();
  const [first, second] = [createSlots(), createSlots()];
  const taken = [await take(first), await take(first)];
  const waiting = take(second);
  for (const giveBack of taken) giveBack();
  const giveBack = await waiting;
  giveBack();
});

test('each host has slots of its own, and a bucket needs none', async () => {
  const { createSlots } = setUp({ limit: 1 });
  const slots = createSlots();
  const taken = await Promise.all([take(slots), take(slots, 'https://b.test/1.jpg')]);
  for (const src of [SRC, 'https://b.test/2.jpg']) expect(slots.tryTake(src)).toBeUndefined();
  for (let fetch = 0; fetch < 10; fetch++) taken.push(await take(slots, 's3://bucket/1.jpg'));
  for (const giveBack of taken) giveBack();
});

test('a Retry-After that one process was given holds for all', async () => {
  const { createSlots } = setUp();
  const [first, second] = [createSlots(), createSlots()];
  const giveBack = await take(first);
  first.failed(
    SRC,
    new EdgepressError('source_unavailable', 'status 429', { retryable: true, retryAfterSeconds: 20 }),
  );
  giveBack();
  await first.close();
  const refusal = await take(second).catch((error: unknown) => error);
  expect(isHostRefusal(refusal)).toBe(true);
  expect(refusal).toMatchObject({ code: 'source_unavailable', retryable: true, retryAfterSeconds: 20 });
});

test('a process that gets no slot for too long is told so', async () => {
  const { createSlots } = setUp({ limit: 1, maxWaitMs: 1 });
  const giveBack = await take(createSlots());
  const error = await take(createSlots()).catch((reason: unknown) => reason);
  expect(isCrowded(error)).toBe(true);
  expect(error).toMatchObject({ code: 'overloaded' });
  giveBack();
});

test('a wait ends with the signal', async () => {
  const { createSlots, stop } = setUp({ limit: 1 });
  const giveBack = await take(createSlots());
  const waiting = take(createSlots());
  stop.abort(new Error('the end'));
  await expect(waiting).rejects.toThrow('the end');
  giveBack();
});
