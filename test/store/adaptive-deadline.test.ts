import { afterEach, expect, it, vi } from 'vitest';
import { createAdaptiveDeadline } from '../../src/store/adaptive-deadline.ts';

it('gives a store that became slow, but answers within the longest deadline, enough time again', async () => {
  const deadline = createAdaptiveDeadline({ minMs: 1, maxMs: 10_000 });
  const ignored = { extraMs: 0, onLate: () => {} };
  for (let count = 0; count < 200; count++) await deadline.run(async () => 'quick', ignored);
  const slow = () => new Promise<string>((resolve) => setTimeout(resolve, 100, 'slow'));
  let onLate = () => {};
  const ended = new Promise<void>((resolve) => {
    onLate = resolve;
  });
  const late = deadline.run(slow, { extraMs: 0, onLate });
  await expect(late).rejects.toThrow('no answer within');
  await ended;
  expect(await deadline.run(slow, ignored)).toBe('slow');
});

afterEach(() => void vi.useRealTimers());

it('waits no longer than the shortest deadline while nothing ends within the longest', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearInterval', 'performance'] });
  const deadline = createAdaptiveDeadline({ minMs: 100, maxMs: 1000 });
  const ends: (() => void)[] = [];
  const start = () =>
    deadline
      .run(() => new Promise<void>((end) => void ends.push(end)), { extraMs: 0, onLate: () => {} })
      .then(
        () => 'done',
        (error: Error) => error.message,
      );
  const first = start();
  await vi.advanceTimersByTimeAsync(1000);
  expect(await first).toBe('no answer within 1000 ms');
  const second = start();
  await vi.advanceTimersByTimeAsync(100);
  // An answer that came too late for any deadline gives the next one no more time.
  ends[0]?.();
  await vi.advanceTimersByTimeAsync(1000);
  expect(await second).toBe('no answer within 100 ms');
  const third = start();
  await vi.advanceTimersByTimeAsync(1000);
  expect(await third).toBe('no answer within 100 ms');
  ends[2]?.();
  await vi.advanceTimersByTimeAsync(0);
  const fourth = start();
  await vi.advanceTimersByTimeAsync(500);
  ends[3]?.();
  expect(await fourth).toBe('done');
});

it('gives a write the time that it asks for more, and tells of its end only if it was late', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearInterval', 'performance'] });
  const deadline = createAdaptiveDeadline({ minMs: 100, maxMs: 1000 });
  let late = 0;
  const write = (ms: number) => {
    const operation = () => new Promise<string>((resolve) => setTimeout(resolve, ms, 'stored'));
    return deadline
      .run(operation, { extraMs: 500, onLate: () => late++ })
      .catch((error: Error) => error.message);
  };
  const inTime = write(1400);
  await vi.advanceTimersByTimeAsync(1400);
  expect([await inTime, late]).toEqual(['stored', 0]);
  const tooLate = write(2000);
  await vi.advanceTimersByTimeAsync(1500);
  expect([await tooLate, late]).toEqual(['no answer within 1500 ms', 0]);
  await vi.advanceTimersByTimeAsync(500);
  expect(late).toBe(1);
});

it('allows for deviations before it has measured any', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearInterval', 'performance'] });
  const deadline = createAdaptiveDeadline({ minMs: 1, maxMs: 10_000 });
  for (const ms of [100, 500]) {
    const operation = () => new Promise<string>((resolve) => setTimeout(resolve, ms, 'done'));
    const running = deadline.run(operation, { extraMs: 0, onLate: () => {} });
    await vi.advanceTimersByTimeAsync(ms);
    expect(await running).toBe('done');
  }
});
