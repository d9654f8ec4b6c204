import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { backoffDelay, sleep, withJitter } from '../src/backoff.ts';

describe('backoffDelay', () => {
  it.each([
    { name: 'is the first delay after one failure', failures: 1, delay: 100 },
    { name: 'doubles with the second failure', failures: 2, delay: 200 },
    { name: 'doubles again with each that follows', failures: 4, delay: 800 },
    { name: 'stays at the maximum', failures: 5, delay: 1000 },
    { name: 'stays at the maximum after very many failures', failures: 5000, delay: 1000 },
  ])('$name', ({ failures, delay }) => {
    expect(backoffDelay(100, failures, 1000)).toBe(delay);
  });

  it('grows without a bound when no maximum is given', () => {
    expect(backoffDelay(1, 31)).toBe(2 ** 30);
  });
});

describe('withJitter', () => {
  it.each([
    { name: 'adds nothing at the least', random: 0, delay: 1000 },
    { name: 'adds an eighth in the middle', random: 0.5, delay: 1125 },
    { name: 'adds a quarter at the most', random: 1, delay: 1250 },
  ])('$name', ({ random, delay }) => {
    vi.spyOn(Math, 'random').mockReturnValue(random);
    onTestFinished(() => void vi.restoreAllMocks());
    expect(withJitter(1000)).toBe(delay);
  });
});

describe('sleep', () => {
  it('resolves when its time is over', async () => {
    await expect(sleep(1)).resolves.toBeUndefined();
  });

  it('resolves as soon as its signal aborts', async () => {
    const stop = new AbortController();
    const sleeping = sleep(2 ** 30, stop.signal);
    stop.abort(new Error('stop'));
    await expect(sleeping).resolves.toBeUndefined();
  });

  it('resolves without waiting when its signal has aborted before', async () => {
    await expect(sleep(2 ** 30, AbortSignal.abort())).resolves.toBeUndefined();
  });
});
