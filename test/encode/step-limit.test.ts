import { afterEach, describe, expect, it, vi } from 'vitest';
import { type EncoderProcess, ProcessEnded } from '../../src/encode/pool/encoder-process.ts';
import { decodeInPool } from '../../src/encode/pool/pool-job.ts';
import { createStepLimit } from '../../src/encode/pool/step-limit.ts';
import { createSteps } from '../../src/encode/pool/steps.ts';
import { createLocks } from '../../src/locks.ts';

describe('the limit of a step', () => {
  it('counts the CPU time of its process since it began', () => {
    const limit = createStepLimit(30);
    expect(limit.check(100, 0)).toBeUndefined();
    expect(limit.check(129, 29_000)).toBeUndefined();
    expect(limit.check(130, 30_000)).toBe('time');
  });

  it('blames no image for a machine that has no CPU time for it', () => {
    const limit = createStepLimit(30);
    limit.check(0, 0);
    expect(limit.check(1, 119_000)).toBeUndefined();
    expect(limit.check(1, 120_000)).toBe('starved');
  });

  it('counts time where CPU time is not known', () => {
    const limit = createStepLimit(30);
    limit.check(undefined, 0);
    expect(limit.check(undefined, 29_000)).toBeUndefined();
    expect(limit.check(undefined, 30_000)).toBe('time');
  });
});

describe('the steps of a process', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('are checked while there are any', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    let cpuSeconds = 0;
    const excesses: string[] = [];
    const busy: boolean[] = [];
    const steps = createSteps<string>({
      cpuSeconds: () => cpuSeconds,
      onBusy: (isBusy) => busy.push(isBusy),
      onExcess: (excess) => excesses.push(excess),
    });
    const result = steps.add<string>('a', 3);
    vi.advanceTimersByTime(1000);
    cpuSeconds = 2;
    vi.advanceTimersByTime(1000);
    expect(excesses).toEqual([]);
    cpuSeconds = 3;
    vi.advanceTimersByTime(1000);
    expect(excesses).toEqual(['time']);
    steps.resolve('a', 'done');
    expect(await result).toBe('done');
    vi.advanceTimersByTime(5000);
    expect(excesses).toHaveLength(1);
    expect(busy).toEqual([true, false]);
  });
});

it.each([
  ['time', 'source_too_large', false],
  ['starved', 'overloaded', true],
] as const)(
  'an image whose step was given up (%s) is %s, and is not tried again',
  async (reason, code, retryable) => {
    let tries = 0;
    const process = {
      ready: Promise.resolve(),
      async decode() {
        tries++;
        throw new ProcessEnded(reason, 'SIGKILL');
      },
    } as unknown as EncoderProcess;
    const decoding = decodeInPool(
      { bytes: new Uint8Array(1), maxWidth: 160, urgency: 'viewer' },
      { withProcess: (work) => work(process), locks: createLocks(), signal: undefined },
    );
    await expect(decoding).rejects.toMatchObject({ code, retryable });
    expect(tries).toBe(1);
  },
);
