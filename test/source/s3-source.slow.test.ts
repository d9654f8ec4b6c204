import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { beforeAll, expect, it } from 'vitest';
import { parseAllowPattern } from '../../src/source/allowlist.ts';
import { createS3Source } from '../../src/source/s3-source.ts';
import { createS3Client } from '../../src/store/s3-client.ts';
import { createBucket, describeS3, s3Server } from '../support/store/bucket.ts';

describeS3('an S3 source at a real S3', () => {
  let bucket: string;
  let client: S3Client;

  beforeAll(async () => {
    ({ bucket, client } = await createBucket());
  });

  const open = (pattern = `s3://${bucket}/*`, s3 = client) =>
    createS3Source({
      client: s3,
      allow: [parseAllowPattern(pattern)],
      maxBytes: 300_000,
      timeoutMs: 10_000,
    });

  const put = (key: string, body: Buffer) =>
    client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body }));

  it('returns the bytes of an object', async () => {
    const body = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
    await put('photos/whole.jpg', body);
    const bytes = await open().fetch(`s3://${bucket}/photos/whole.jpg`);
    expect(body.equals(bytes)).toBe(true);
    expect(bytes.buffer.byteLength).toBe(300_000);
  });

  it.each([
    'a b.jpg',
    '%41.jpg',
    'a?b=c&d.jpg',
    'a#b.jpg',
    'a+b.jpg',
    'ä/字/🙂.jpg',
    "it's (1)*!.jpg",
    'a//b.jpg',
  ])('takes the key %j literally', async (key) => {
    await put(key, Buffer.from(key));
    const bytes = await open().fetch(`S3://${bucket}/${key}`);
    expect(Buffer.from(bytes).toString()).toBe(key);
  });

  it('throws source_not_found for a missing object or bucket', async () => {
    const missing = { name: 'EdgepressError', code: 'source_not_found', retryable: false };
    await expect(open().fetch(`s3://${bucket}/nowhere.jpg`)).rejects.toMatchObject(missing);
    await expect(open('s3://*/*').fetch('s3://no-such-bucket/a.jpg')).rejects.toMatchObject(missing);
  });

  it('throws source_too_large for an object over the limit', async () => {
    await put('large.jpg', Buffer.alloc(300_001));
    const refused = open().fetch(`s3://${bucket}/large.jpg`);
    await expect(refused).rejects.toMatchObject({ code: 'source_too_large', retryable: false });
  });

  it('throws source_forbidden for an object that exists but is not allowed', async () => {
    await put('private/a.jpg', Buffer.from('secret'));
    const refused = open(`s3://${bucket}/photos/*`).fetch(`s3://${bucket}/private/a.jpg`);
    await expect(refused).rejects.toMatchObject({ code: 'source_forbidden', retryable: false });
  });

  it('throws a permanent source_unavailable for credentials that S3 rejects', async () => {
    const { endpoint } = s3Server();
    const unknownClient = createS3Client({
      endpoint,
      credentials: { accessKeyId: 'x', secretAccessKey: 'y' },
    });
    const refused = open(`s3://${bucket}/*`, unknownClient).fetch(`s3://${bucket}/photos/whole.jpg`);
    await expect(refused).rejects.toMatchObject({ code: 'source_unavailable', retryable: false });
    unknownClient.destroy();
  });
});
