import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/hashing.ts';
import { variantAddress } from '../../src/protocol/keys.ts';

describe('a variant key', () => {
  it('is made of the hashes that the contract names', () => {
    // printf %s unit-1 | sha256sum; printf %s https://example.com/é.jpg | sha256sum
    const name = {
      unit: 'unit-1',
      src: 'https://example.com/é.jpg',
      width: 1080,
      tier: 'balanced',
      format: 'avif',
    } as const;
    expect(variantAddress(name, sha256)).toEqual({
      key: 'v1/d1/unit-1/1df5a49a9ef9bea482136fe569491d57/1080-balanced.avif',
      recordKey: 'v1/d1/unit-1/1df5a49a9ef9bea482136fe569491d57/source.json',
      cacheTag: 'u-d1b608530bb248d3d9bf38b9ce55145e,s-1df5a49a9ef9bea482136fe569491d57',
    });
  });

  it('differs for every spelling of a source', () => {
    const base = { unit: 'a', width: 160, tier: 'high', format: 'jpeg' } as const;
    const spellings = ['https://x.test/a', 'https://X.test/a', 'https://x.test/%61', 'https://x.test:443/a'];
    const keys = spellings.map((src) => variantAddress({ ...base, src }, sha256).key);
    expect(new Set(keys).size).toBe(spellings.length);
  });
});
