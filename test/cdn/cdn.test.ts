import { expect, it } from 'vitest';
import { createNoCdn } from '../../src/cdn/cdn.ts';

it('does nothing and returns no invalidations when there is no CDN', async () => {
  const cdn = createNoCdn();
  const invalidations = await cdn.invalidate(['u-1', 'u-2']);
  expect(invalidations).toEqual([]);
  await cdn.wait(invalidations);
  cdn.close();
});
