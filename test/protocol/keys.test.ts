import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/hashing.ts';
import { parseVariantKey, unitAddress, unitCacheTag, variantAddress } from '../../src/protocol/keys.ts';

// printf %s unit-1 | sha256sum; printf %s https://example.com/é.jpg | sha256sum
const UNIT_HASH = 'd1b608530bb248d3d9bf38b9ce55145e';
const SOURCE_HASH = '1df5a49a9ef9bea482136fe569491d57';
const NAME = {
  unit: 'unit-1',
  src: 'https://example.com/é.jpg',
  width: 1080,
  tier: 'balanced',
  format: 'avif',
} as const;

describe('variantAddress', () => {
  it('makes keys and cache tags of the hashes that the contract names', () => {
    expect(variantAddress(NAME, sha256)).toEqual({
      key: `v1/d1/unit-1/${SOURCE_HASH}/1080-balanced.avif`,
      recordKey: `v1/d1/unit-1/${SOURCE_HASH}/source.json`,
      cacheTag: `u-${UNIT_HASH},s-${SOURCE_HASH}`,
    });
  });

  it('makes another key for every spelling of a source', () => {
    const spellings = ['https://x.test/a', 'https://X.test/a', 'https://x.test/%61', 'https://x.test:443/a'];
    const keys = spellings.map((src) => variantAddress({ ...NAME, src }, sha256).key);
    expect(new Set(keys).size).toBe(spellings.length);
  });
});

describe('unitAddress', () => {
  it('puts the manifest into the folder of the variants, and the tombstone outside', () => {
    expect(unitAddress('unit-1', sha256)).toEqual({
      folder: 'v1/d1/unit-1',
      manifestKey: 'v1/d1/unit-1/manifest.json',
      tombstoneKey: `purged/${UNIT_HASH}`,
      stateKeys: ['pending', 'ready', 'broken', 'failed'].map((state) => `states/${state}/d1/unit-1`),
    });
  });
});

describe('unitCacheTag', () => {
  it('is the first tag of every variant of the unit', () => {
    expect(unitCacheTag('unit-1', sha256)).toBe(variantAddress(NAME, sha256).cacheTag.split(',')[0]);
  });
});

describe('parseVariantKey', () => {
  it('reads width, tier and format back from the key of a variant', () => {
    const { width, tier, format } = NAME;
    expect(parseVariantKey(variantAddress(NAME, sha256).key)).toEqual({ width, tier, format });
  });

  it.each([
    ['a source record', 'v1/d1/unit-1/abc/source.json'],
    ['a manifest', 'v1/d1/unit-1/manifest.json'],
    ['an unknown tier', 'v1/d1/unit-1/abc/1080-best.avif'],
    ['an unknown format', 'v1/d1/unit-1/abc/1080-balanced.png'],
    ['a width of 0', 'v1/d1/unit-1/abc/0-balanced.avif'],
    ['a width with a leading zero', 'v1/d1/unit-1/abc/0320-balanced.avif'],
    ['a width of six digits', 'v1/d1/unit-1/abc/100000-balanced.avif'],
    ['no folder', '1080-balanced.avif'],
  ])('returns undefined for %s', (_name, key) => {
    expect(parseVariantKey(key)).toBeUndefined();
  });
});
