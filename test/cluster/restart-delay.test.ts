import { describe, expect, it } from 'vitest';
import { createRestartDelay } from '../../src/cluster/restart-delay.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const shortLife = { ms: 2000, hasListened: true };
const failedStart = { ms: 500, hasListened: false };

describe('The delay before a worker is started again', () => {
  it('doubles with each that dies soon, up to ten seconds', () => {
    const { afterDeath } = createRestartDelay();
    const delays = Array.from({ length: 9 }, () => afterDeath(shortLife));
    expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
  });

  it('is short again for one that has lived long', () => {
    const { afterDeath } = createRestartDelay();
    for (let count = 0; count < 9; count++) afterDeath(shortLife);
    expect(afterDeath({ ms: DAY_MS, hasListened: true })).toBe(100);
  });

  it('is of no use after five in a row that did not come so far as to accept requests', () => {
    const { afterDeath, isHopeless } = createRestartDelay();
    const lives = [failedStart, failedStart, failedStart, failedStart, shortLife];
    for (const life of [...lives, ...lives]) afterDeath(life);
    expect(isHopeless()).toBe(false);
    for (let count = 0; count < 5; count++) afterDeath(failedStart);
    expect(isHopeless()).toBe(true);
  });
});
