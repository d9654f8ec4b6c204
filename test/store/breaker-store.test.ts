import { S3ServiceException } from '@aws-sdk/client-s3';
import { describe, expect, it, vi } from 'vitest';
import { createBreakerStore, StoreRefusal } from '../../src/store/breaker-store.ts';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { makeFolder } from '../support/store/folder.ts';

const INFO = { contentType: 'image/webp' };
const unreachable = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });
const busy = new S3ServiceException({
  name: 'SlowDown',
  $fault: 'server',
  $metadata: { httpStatusCode: 503 },
});

/** A store that fails while there is a fault, behind a breaker whose clock the test sets. */
async function setUp() {
  const fault: { current?: Error | undefined } = {};
  const silence = { list: false };
  const clock = { nowMs: 0 };
  const folder = createFileStore({ root: await makeFolder() });
  const failing: VariantStore = {
    ...folder,
    async get(key) {
      if (fault.current) throw fault.current;
      return await folder.get(key);
    },
    async head(key) {
      if (fault.current) throw fault.current;
      return await folder.head(key);
    },
    async *list(below) {
      if (silence.list) await new Promise(() => {});
      yield* folder.list(below);
    },
  };
  const breaker = createBreakerStore(failing, {
    name: 's3://bucket',
    nowMs: () => clock.nowMs,
    onLateWrite: () => {},
  });
  const get = async () => await breaker.store.get('a');
  return { fault, silence, clock, breaker, get };
}

describe('a store behind a circuit breaker', () => {
  it('works as the store does', async () => {
    const { breaker, get } = await setUp();
    const { store } = breaker;
    const { etag } = await store.put('a', new Uint8Array([1]), INFO);
    const object = await get();
    expect([object?.etag, ...(object?.body ?? [])]).toEqual([etag, 1]);
    expect(await store.replace('a', 'other', new Uint8Array([2]), INFO)).toBeUndefined();
    expect(await store.head('a')).toMatchObject({ etag });
    expect(await store.list('x')[Symbol.asyncIterator]().next()).toMatchObject({ done: true });
    await store.delete(['a']);
    expect(await get()).toBeUndefined();
  });

  it('refuses everything after two failures to reach it, and works again after a read that nobody waits for', async () => {
    const { fault, clock, breaker, get } = await setUp();
    fault.current = unreachable;
    for (let times = 0; times < 2; times++) await expect(get()).rejects.toBe(unreachable);
    fault.current = undefined;
    const { store } = breaker;
    const refused = [get(), store.head('a'), store.put('a', new Uint8Array(), INFO), store.delete(['a'])];
    for (const operation of refused) await expect(operation).rejects.toThrow(StoreRefusal);
    await expect(store.list('x')[Symbol.asyncIterator]().next()).rejects.toThrow(StoreRefusal);
    expect(breaker.list()).toMatchObject([{ target: 's3://bucket', state: 'open', refused: 5 }]);
    clock.nowMs = 2_000;
    await expect(get()).rejects.toThrow(StoreRefusal);
    await vi.waitUntil(() => breaker.list().length === 0);
    expect(await get()).toBeUndefined();
  });

  it('works again after a read that is answered with an error', async () => {
    const { fault, clock, breaker, get } = await setUp();
    fault.current = unreachable;
    for (let times = 0; times < 2; times++) await expect(get()).rejects.toBe(unreachable);
    fault.current = busy;
    clock.nowMs = 2_000;
    await expect(get()).rejects.toThrow(StoreRefusal);
    await vi.waitUntil(() => breaker.list().length === 0);
    await expect(get()).rejects.toBe(busy);
  });

  it('gives a page of a listing before it asks for the next one', async () => {
    const folder = createFileStore({ root: await makeFolder() });
    async function* list() {
      for (let number = 0; number < 1000; number++) yield { key: `x/${number}`, bytes: 1, modifiedMs: 0 };
      await new Promise(() => {});
    }
    const options = { name: 's3://bucket', onLateWrite: () => {} };
    const { store } = createBreakerStore({ ...folder, list }, options);
    const objects = store.list('x')[Symbol.asyncIterator]();
    expect(await objects.next()).toMatchObject({ value: { key: 'x/0' } });
  });

  it('fails to list a folder that is silent, in a second or two, and then at once', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const { silence, breaker } = await setUp();
      const { store } = breaker;
      silence.list = true;
      const keys = async () => await countOf(store.list('x'));
      for (let times = 0; times < 2; times++) {
        const listing = expect(keys()).rejects.toThrow(/no answer within \d+ ms/);
        await vi.advanceTimersByTimeAsync(2_000);
        await listing;
      }
      await expect(keys()).rejects.toThrow(StoreRefusal);
    } finally {
      vi.useRealTimers();
    }
  });

  it('lists a folder that takes several answers of the store, and one whose reader stops early', async () => {
    const { breaker } = await setUp();
    const { store } = breaker;
    const put = (number: number) => store.put(`x/${number}`, new Uint8Array(), INFO);
    for (let number = 0; number < 1_001; number++) await put(number);
    expect(await countOf(store.list('x'))).toBe(1_001);
    for await (const { key } of store.list('x')) {
      expect(key).toMatch(/^x\//);
      break;
    }
  });

  it.each([
    ['S3 that it is busy', busy],
    ['the disk that it is full', Object.assign(new Error(), { code: 'ENOSPC' })],
  ])('is asked on if it fails because of the answer of %s', async (_what, error) => {
    const { fault, get } = await setUp();
    fault.current = error;
    for (let times = 0; times < 5; times++) await expect(get()).rejects.toBe(error);
  });
});

async function countOf(items: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _item of items) count++;
  return count;
}
