import { describe, expect, it } from 'vitest';
import { createLockTable, type LockRequest } from '../src/lock-table.ts';
import { createLockClient, createLocks } from '../src/locks.ts';

/** A table whose owners are names, and what it has granted so far: `owner id`, with `*` if it had to wait. */
function setUp() {
  const granted: string[] = [];
  const clock = { ms: 0 };
  const table = createLockTable<string>(
    (owner, id, hasWaited) => granted.push(`${owner} ${id}${hasWaited ? '*' : ''}`),
    () => clock.ms,
  );
  const acquire = (owner: string, id: number, options: Partial<LockRequest> = {}) =>
    table.acquire(owner, { id, name: 'a', limit: 1, priority: 0, ...options });
  return { table, granted, clock, acquire };
}

describe('The lock table', () => {
  it('grants a lock to as many as its limit, and then in turn', () => {
    const { table, granted, acquire } = setUp();
    for (const id of [1, 2, 3, 4]) acquire('x', id, { limit: 2 });
    expect(granted).toEqual(['x 1', 'x 2']);
    table.release('x', 1);
    table.release('x', 2);
    expect(granted).toEqual(['x 1', 'x 2', 'x 3*', 'x 4*']);
  });

  it('lets a higher priority go first', () => {
    const { table, granted, acquire } = setUp();
    acquire('x', 1);
    acquire('x', 2);
    acquire('y', 1, { priority: 3 });
    table.release('x', 1);
    table.release('y', 1);
    expect(granted).toEqual(['x 1', 'y 1*', 'x 2*']);
  });

  it('keeps locks of different names apart', () => {
    const { table, granted, acquire } = setUp();
    acquire('x', 1);
    table.acquire('y', { id: 1, name: 'b', limit: 1, priority: 0 });
    expect(granted).toEqual(['x 1', 'y 1']);
  });

  it('passes on what a dead owner held, and grants it nothing more', () => {
    const { table, granted, acquire } = setUp();
    acquire('x', 1);
    acquire('x', 2);
    acquire('y', 1);
    table.forget('x');
    expect(granted).toEqual(['x 1', 'y 1*']);
  });

  it('ignores the release of what is not held', () => {
    const { table, granted, acquire } = setUp();
    acquire('x', 1);
    acquire('y', 1);
    table.release('y', 7);
    expect(granted).toEqual(['x 1']);
  });

  it('withdraws a request that waits, so that it is never granted and those behind it are', () => {
    const { table, granted, acquire } = setUp();
    for (const id of [1, 2, 3]) acquire('x', id);
    table.release('x', 2);
    table.release('x', 1);
    expect(granted).toEqual(['x 1', 'x 3*']);
  });
});

describe('A lock with shares', () => {
  const LIMIT = 8;

  /** Requests for `count` places of one key each; the owner is the key. */
  function setUpShares() {
    const { table, granted, acquire } = setUp();
    let id = 0;
    const request = (key: string, count: number, most = LIMIT) => {
      for (let index = 0; index < count; index++)
        acquire(key, ++id, { limit: LIMIT, share: { key, limit: most } });
    };
    const held = (key: string) => granted.filter((text) => text.startsWith(`${key} `)).length;
    return { table, granted, request, held };
  }

  it('lets one key have half of the places at most, and no more than its own limit', () => {
    const { request, held } = setUpShares();
    request('a', 100);
    expect(held('a')).toBe(LIMIT / 2);
    const limited = setUpShares();
    limited.request('a', 100, 3);
    expect(limited.held('a')).toBe(3);
  });

  it('has a place for a key that holds none, however many wait for others', () => {
    const { request, held } = setUpShares();
    for (const key of ['a', 'b', 'c']) request(key, 100);
    request('d', 1);
    expect(held('d')).toBe(1);
  });

  it('gives the next place to the key that holds the fewest, not to the one that waits longest', () => {
    const { table, granted, request } = setUpShares();
    request('a', 5);
    request('b', 3);
    request('c', 3);
    // a holds four, b two and c one. One is free, which none of them may have.
    for (const id of [1, 2, 3]) table.release('a', id);
    expect(granted.slice(-2)).toEqual(['c 10*', 'a 5*']);
  });
});

describe('A lock that some yield', () => {
  const urgent = { limit: 2, priority: 1 };
  const yielding = { limit: 2, yields: true };

  it('is granted at once to one that does not yield, whatever the others hold', () => {
    const { granted, acquire } = setUp();
    for (const id of [1, 2, 3]) acquire('prewarm', id, yielding);
    for (const id of [1, 2, 3]) acquire('viewer', id, urgent);
    expect(granted).toEqual(['prewarm 1', 'prewarm 2', 'viewer 1', 'viewer 2']);
  });

  it('is granted to those that yield once all others are done, and one place is left free for a while', () => {
    const { table, granted, clock, acquire } = setUp();
    acquire('viewer', 1, urgent);
    acquire('prewarm', 1, yielding);
    acquire('prewarm', 2, yielding);
    expect(granted).toEqual(['viewer 1']);
    table.release('viewer', 1);
    expect(granted).toEqual(['viewer 1', 'prewarm 1*']);
    clock.ms = 10_000;
    acquire('prewarm', 3, yielding);
    expect(granted).toEqual(['viewer 1', 'prewarm 1*', 'prewarm 2*']);
  });

  it('is granted to those that yield although others are expected, if there is only one place', () => {
    const { table, granted, acquire } = setUp();
    acquire('viewer', 1, { ...urgent, limit: 1 });
    acquire('prewarm', 1, { ...yielding, limit: 1 });
    table.release('viewer', 1);
    expect(granted).toEqual(['viewer 1', 'prewarm 1*']);
  });
});

describe('A lock whose wait is aborted', () => {
  /** A lock that is held until `release` is called. */
  function held() {
    const locks = createLocks();
    let release = () => {};
    const holding = new Promise<void>((resolve) => {
      release = resolve;
    });
    void locks.run('a', { limit: 1 }, () => holding);
    return { locks, release };
  }

  it('rejects with the reason at once, without the work, and goes to the next in turn', async () => {
    const { locks, release } = held();
    const controller = new AbortController();
    const order: string[] = [];
    const work = (name: string) => async () => order.push(name);
    const aborted = locks.run('a', { limit: 1, signal: controller.signal }, work('aborted'));
    const next = locks.run('a', { limit: 1 }, work('next'));
    controller.abort(new Error('left'));
    await expect(aborted).rejects.toThrow('left');
    expect(order).toEqual([]);
    release();
    await next;
    expect(order).toEqual(['next']);
  });

  it('is released if it was granted in the moment of the abort', async () => {
    const released: number[] = [];
    const { locks, granted } = createLockClient({ acquire() {}, release: (id) => released.push(id) });
    const controller = new AbortController();
    const run = locks.run('a', { limit: 1, signal: controller.signal }, async () => 'worked');
    granted(1, true);
    controller.abort(new Error('left'));
    await expect(run).rejects.toThrow('left');
    expect(released).toEqual([1]);
  });

  it('is not waited for if the signal has aborted before', async () => {
    const { locks } = held();
    const signal = AbortSignal.abort(new Error('left'));
    await expect(locks.run('b', { limit: 1, signal }, async () => 'worked')).rejects.toThrow('left');
  });
});
