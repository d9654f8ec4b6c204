import { describe, expect, it } from 'vitest';
import { createSourceFetcher, type SourceFetcher } from '../../src/source/source.ts';

describe('the fetcher of all schemes', () => {
  const returning = (byte: number): SourceFetcher => ({
    assertAllowed: () => {},
    assertReachable: () => {},
    fetch: async () => Uint8Array.of(byte),
  });
  const [http, s3] = [returning(1), returning(2)];

  it.each([
    ['http://images.test/a.jpg', 1],
    ['HTTPS://images.test/a.jpg', 1],
    ['s3://bucket/key', 2],
    ['S3://bucket/key', 2],
  ])('delegates %s to the fetcher of its scheme', async (src, byte) => {
    expect(await createSourceFetcher({ http, s3 }).fetch(src)).toEqual(Uint8Array.of(byte));
  });

  it.each([
    'ftp://images.test/',
    'file:///etc/passwd',
    's3',
    'https',
    ' s3://bucket/key',
    'xs3://bucket/key',
    '',
  ])('rejects %j with a bad_request that names src', async (src) => {
    const refused = createSourceFetcher({ http, s3 }).fetch(src);
    await expect(refused).rejects.toMatchObject({ code: 'bad_request', parameter: 'src' });
  });

  it('throws source_forbidden for s3 URLs if there is no S3 source', async () => {
    const refused = createSourceFetcher({ http }).fetch('s3://bucket/key');
    await expect(refused).rejects.toMatchObject({ code: 'source_forbidden' });
  });
});
