import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { backoffDelay, sleep, withJitter } from '../src/backoff.ts';

describe('backoffDelay', () => {
  it.each([
    ['is the first delay after one failure', 1, 100],
    ['doubles with the second failure', 2, 200],
    ['doubles again with each that follows', 4, 800],
    ['stays at the maximum', 5, 1000],
    ['stays at the maximum after very many failures', 5000, 1000],
  ])('%s', (_name, failures, delay) => {
    expect(backoffDelay(100, failures, 1000)).toBe(delay);
  });

  it('grows without a bound when no maximum is given', () => {
    expect(backoffDelay(1, 31)).toBe(2 ** 30);
  });
});

describe('withJitter', () => {
  it.each([
    ['adds nothing at the least', 0, 1000],
    ['adds an eighth in the middle', 0.5, 1125],
    ['adds a quarter at the most', 1, 1250],
  ])('%s', (_name, random, delay) => {
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
