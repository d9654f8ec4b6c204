import { GetObjectCommand, HeadObjectCommand, NotFound, type S3Client } from '@aws-sdk/client-s3';

/** An object as it was when it was found. */
export interface S3Object {
  bucket: string;
  key: string;
  /** Its size. */
  bytes: number;
  etag: string | undefined;
}

/** An object is read in ranges of this length, each whole: prewarm may take hours over it, and no server keeps an answer open for so long. */
const RANGE_BYTES = 2 ** 23;

/**
 * Finds an object and reads it, as `readS3Object` does.
 *
 * @returns `undefined` if there is none
 * @throws the error of S3
 */
export async function openS3Object(
  client: S3Client,
  { bucket, key }: Pick<S3Object, 'bucket' | 'key'>,
  signal: AbortSignal,
): Promise<{ etag: string; chunks: AsyncGenerator<Uint8Array, void> } | undefined> {
  try {
    const command = new HeadObjectCommand({ Bucket: bucket, Key: key });
    const { ContentLength: bytes = 0, ETag: etag = '' } = await client.send(command, { abortSignal: signal });
    return { etag, chunks: readS3Object(client, { bucket, key, bytes, etag: etag || undefined }, signal) };
  } catch (error) {
    if (error instanceof NotFound) return undefined;
    throw error;
  }
}

/**
 * Reads an object of any size.
 *
 * @throws the error of S3: `PreconditionFailed` when the object was replaced meanwhile; an `AbortError` once the signal aborts
 */
export async function* readS3Object(
  client: S3Client,
  { bucket, key, bytes, etag }: S3Object,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  for (let start = 0; start < bytes; start += RANGE_BYTES) {
    const range = `bytes=${start}-${Math.min(start + RANGE_BYTES, bytes) - 1}`;
    const command = new GetObjectCommand({ Bucket: bucket, Key: key, Range: range, IfMatch: etag });
    const { Body } = await client.send(command, { abortSignal: signal });
    yield (await Body?.transformToByteArray()) ?? new Uint8Array();
  }
}
