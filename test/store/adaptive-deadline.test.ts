import { expect, it } from 'vitest';
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
