import { describe, expect, it } from 'vitest';
import { createLockTable } from '../src/lock-table.ts';

/** A table whose owners are names, and what it has granted so far: `owner id`, with `*` if it had to wait. */
function setUp() {
  const granted: string[] = [];
  const table = createLockTable<string>((owner, id, hasWaited) => {
    granted.push(`${owner} ${id}${hasWaited ? '*' : ''}`);
  });
  const acquire = (owner: string, id: number, options: { limit?: number; priority?: number } = {}) =>
    table.acquire(owner, { id, name: 'a', limit: 1, priority: 0, ...options });
  return { table, granted, acquire };
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
});
