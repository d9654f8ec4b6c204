import { expect, test } from 'vitest';
import { createNoCdn } from '../../src/cdn/cdn.ts';

test('has nothing to invalidate, and nothing to wait for', async () => {
  const cdn = createNoCdn();
  const invalidations = await cdn.invalidate(['u-1', 'u-2']);
  expect(invalidations).toEqual([]);
  await cdn.wait(invalidations);
  cdn.close();
});
