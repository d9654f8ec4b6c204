import { describe, expect, it } from 'vitest';
import { mayIngest, parseIngestPrefix } from '../../src/unit/ingest-prefix.ts';

describe('INGEST_FROM', () => {
  it('allows the objects of a bucket whose keys begin with the prefix', () => {
    const prefixes = [parseIngestPrefix('s3://deliveries/units/'), parseIngestPrefix('s3://others/')];
    const may = (bucket: string, key: string) => mayIngest(prefixes, { bucket, key });
    expect([may('deliveries', 'units/a.csv'), may('others', 'a.csv')]).toEqual([true, true]);
    expect([may('deliveries', 'a.csv'), may('deliveries-2', 'units/a.csv')]).toEqual([false, false]);
  });

  it.each([
    's3://deliveries',
    'https://deliveries/units/',
    's3://a/',
    's3://deliveries/*.csv',
    's3://*/units/',
  ])('refuses %s', (text) => {
    expect(() => parseIngestPrefix(text)).toThrow(`has "${text}", which is not s3://BUCKET/`);
  });
});
