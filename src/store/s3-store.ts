import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadBucketCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  PutObjectCommand,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { assertFolder, assertObjectInfo, assertObjectKey } from './object-validation.ts';
import { deleteObjects, listObjects } from './s3-bulk.ts';
import type { ObjectInfo, StoredInfo, VariantStore } from './store.ts';

/**
 * For one operation with all its attempts, to the last byte: what no timeout of a part bounds is a body that trickles. A
 * viewer waits for three reads, a write and a delete at the worst, and gets the picture even when all of them fail: 16 s, where
 * a CDN waits for 30.
 */
const READ_TIMEOUT_MS = 2_000;
const WRITE_TIMEOUT_MS = 5_000;

export interface S3StoreOptions {
  bucket: string;
  /** From `createS3Client`, which bounds how long a request may take. */
  client: S3Client;
}

/**
 * A store in a bucket. Objects carry their type, cache control and metadata, so that S3 can serve them by itself.
 *
 * Whoever the client signs as needs `s3:ListBucket` on the bucket: without it S3 answers 403 for a key that is not there, which
 * cannot be told from a refusal, and so is a fault.
 */
export function createS3Store({ bucket, client }: S3StoreOptions): VariantStore {
  const bucketIsThere = createBucketCheck({ bucket, client });
  const locate = (key: string) => {
    assertObjectKey(key);
    return { Bucket: bucket, Key: key };
  };

  async function write(
    key: string,
    body: Uint8Array,
    info: ObjectInfo,
    ifMatch?: string,
  ): Promise<{ etag: string }> {
    const location = locate(key);
    assertObjectInfo(info);
    const { ETag } = await client.send(
      new PutObjectCommand({
        ...location,
        Body: body,
        ContentType: info.contentType,
        CacheControl: info.cacheControl,
        Metadata: info.metadata,
        IfMatch: ifMatch,
      }),
      within(WRITE_TIMEOUT_MS),
    );
    return { etag: etagOf(ETag) };
  }

  return {
    async get(key) {
      const location = locate(key);
      return await unlessMissing(async () => {
        const output = await client.send(new GetObjectCommand(location), within(READ_TIMEOUT_MS));
        const body = await bodyOf(output);
        return { ...describe(output, body.length), body };
      });
    },

    async head(key) {
      const location = locate(key);
      const output = await unlessMissing(() =>
        client.send(new HeadObjectCommand(location), within(READ_TIMEOUT_MS)),
      );
      if (output) return describe(output, output.ContentLength ?? 0);
      await bucketIsThere();
      return undefined;
    },

    put: (key, body, info) => write(key, body, info),

    async replace(key, etag, body, info) {
      try {
        // Without its quotes, which Amazon takes and other servers want.
        return await write(key, body, info, etag.replaceAll('"', ''));
      } catch (error) {
        // Another is there, none, or one is just being put.
        if (isStatus(error, 412) || isStatus(error, 409)) return undefined;
        if (isStatus(error, 404) && error.name !== 'NoSuchBucket') return undefined;
        throw error;
      }
    },

    async delete(keys) {
      keys.forEach(assertObjectKey);
      await deleteObjects(client, bucket, keys);
    },

    async *list(folder) {
      assertFolder(folder);
      yield* listObjects(client, bucket, folder);
    },
  };
}

function within(timeoutMs: number): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(timeoutMs) };
}

async function bodyOf({ Body }: GetObjectCommandOutput): Promise<Uint8Array<ArrayBuffer>> {
  if (Body === undefined) throw new Error('S3 answered without a body');
  // In Node the SDK collects into ordinary memory, though its type allows for shared.
  return (await Body.transformToByteArray()) as Uint8Array<ArrayBuffer>;
}

function describe(output: GetObjectCommandOutput | HeadObjectCommandOutput, bytes: number): StoredInfo {
  return {
    contentType: output.ContentType ?? 'application/octet-stream',
    cacheControl: output.CacheControl,
    metadata: output.Metadata ?? {},
    etag: etagOf(output.ETag),
    bytes,
  };
}

function etagOf(etag: string | undefined): string {
  if (etag === undefined) throw new Error('S3 answered without an ETag');
  return etag;
}

/** Every way in which S3 and its likes say that a key is not there becomes `undefined`. A bucket that is not there is a fault. */
async function unlessMissing<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isStatus(error, 404) && error.name !== 'NoSuchBucket') return undefined;
    throw error;
  }
}

function isStatus(error: unknown, status: number): error is S3ServiceException {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === status;
}

/**
 * The answer to HEAD has no body, and so does not say whether it is the key or the bucket that is missing. Whoever takes the
 * second for a miss would make every variant again, for ever. Asked until it has been answered once.
 */
function createBucketCheck({ bucket, client }: S3StoreOptions): () => Promise<void> {
  let seen = false;
  return async () => {
    if (seen) return;
    try {
      await client.send(new HeadBucketCommand({ Bucket: bucket }), within(READ_TIMEOUT_MS));
    } catch (error) {
      if (isStatus(error, 404))
        throw new Error(`there is no bucket ${JSON.stringify(bucket)}`, { cause: error });
      // We may not ask, so it exists.
      if (!isStatus(error, 403)) throw error;
    }
    seen = true;
  };
}
