import { describe, expect, it } from 'vitest';
import { configuredRegion } from '../src/aws-region.ts';

function client(region: () => Promise<string>) {
  return { config: { region }, destroy() {} };
}

describe('the region for other servers than Amazon’s', () => {
  it('is the one that the SDK finds, which is asked once', async () => {
    let created = 0;
    const region = configuredRegion(() => {
      created++;
      return client(async () => 'eu-west-3');
    });
    expect([await region(), await region()]).toEqual(['eu-west-3', 'eu-west-3']);
    expect(created).toBe(1);
  });

  it('is us-east-1 if the SDK finds none', async () => {
    const region = configuredRegion(() => client(() => Promise.reject(new Error('Region is missing'))));
    expect(await region()).toBe('us-east-1');
  });
});
