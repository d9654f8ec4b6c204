import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { CommandFailure } from '../../../scripts/cli/command.ts';
import { findS3Objects } from '../../../scripts/cli/s3-input.ts';
import { createBucket, describeS3 } from '../../support/store/bucket.ts';

async function bucketWith(objects: Readonly<Record<string, Uint8Array>>) {
  const { bucket, client } = await createBucket();
  for (const [key, body] of Object.entries(objects))
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));
  const find = (name: string) => findS3Objects(`s3://${bucket}/${name}`, client);
  return { bucket, find, keysOf: async (name: string) => (await find(name)).map((object) => object.name) };
}

describeS3('inputs in S3', () => {
  it('are one object, all of a folder, or those that match a pattern', async () => {
    const one = Buffer.from('1');
    const keys = ['units/2026-11-01.jsonl.gz', 'units/2026-11-02.jsonl.gz', 'units/2026-12-01.jsonl.gz'];
    const others = { 'units/': Buffer.alloc(0), 'units/old/2026-11-03.jsonl.gz': one, 'units/a+b.csv': one };
    const { bucket, keysOf, find } = await bucketWith({
      ...Object.fromEntries(keys.map((key) => [key, one])),
      ...others,
    });
    const named = (...all: (string | undefined)[]) => all.map((key) => `s3://${bucket}/${key}`);
    expect(await keysOf('units/2026-11-*.jsonl.gz')).toEqual(named(keys[0], keys[1]));
    expect(await keysOf('units/2026-1?-01.*')).toEqual(named(keys[0], keys[2]));
    expect(await keysOf('units/a+b.csv')).toEqual(named('units/a+b.csv'));
    expect(await keysOf('units/')).toEqual(named(...keys, 'units/a+b.csv', 'units/old/2026-11-03.jsonl.gz'));
    await expect(find('units/2027-*')).rejects.toThrow(CommandFailure);
  });

  it('are read in ranges, so that a run may take hours over one', async () => {
    const bytes = Buffer.alloc(2 ** 23 + 5, 'abc');
    const { find } = await bucketWith({ large: bytes, empty: Buffer.alloc(0) });
    const read = async (name: string) => {
      const chunks: Uint8Array[] = [];
      for (const { chunks: read } of await find(name))
        for await (const chunk of read(new AbortController().signal)) chunks.push(chunk);
      return chunks;
    };
    const chunks = await read('large');
    expect(chunks.map(({ length }) => length)).toEqual([2 ** 23, 5]);
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    expect(await read('empty')).toEqual([]);
  });
});
