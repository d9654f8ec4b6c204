import {
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadBucketCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { MissingResource } from '../missing-resource.ts';
import { deleteObjects, listObjects } from './s3-bulk.ts';
import {
  assertFolder,
  assertObjectInfo,
  assertObjectKey,
  type ObjectInfo,
  type StoredInfo,
  type VariantStore,
} from './store.ts';

/**
 * Deadlines for one operation with all its attempts, to the last byte: the client's own timeouts do not limit a body that
 * trickles. In the worst case a viewer waits for three reads, a write and a delete, and gets the image even when all of them fail:
 * that is 16 s, where a CDN waits for 30.
 */
const READ_TIMEOUT_MS = 2_000;
const WRITE_TIMEOUT_MS = 5_000;

export interface S3StoreOptions {
  bucket: string;
  /** From `createS3Client`, which limits how long one request may take. */
  client: S3Client;
}

/**
 * A store in a bucket. Objects carry their type, cache control and metadata, so that S3 can serve them by itself.
 *
 * The client's identity needs `s3:ListBucket` on the bucket: without it S3 answers 403 for a key without an object, which cannot be
 * told from a refusal and so throws. Amazon requires `s3:GetObject` for a conditional put or delete with an ETag. A server other than
 * Amazon's must know conditional puts (`If-Match`, `If-None-Match`).
 */
export function createS3Store({ bucket, client }: S3StoreOptions): VariantStore {
  nameMissingBucket(client, bucket);
  const assertBucketExists = createBucketCheck({ bucket, client });
  const locate = (key: string) => {
    assertObjectKey(key);
    return { Bucket: bucket, Key: key };
  };

  const write = async (key: string, body: Uint8Array, info: ObjectInfo, condition: PutCondition = {}) => {
    const location = locate(key);
    assertObjectInfo(info);
    return await putObject(client, { ...location, ...condition }, body, info);
  };

  return {
    async get(key) {
      const location = locate(key);
      return await undefinedIfMissing(async () => {
        const output = await client.send(new GetObjectCommand(location), deadlineIn(READ_TIMEOUT_MS));
        const body = await bodyOf(output);
        return { ...infoOf(output, body.length), body };
      });
    },

    async head(key) {
      const location = locate(key);
      const output = await undefinedIfMissing(() =>
        client.send(new HeadObjectCommand(location), deadlineIn(READ_TIMEOUT_MS)),
      );
      if (output) return infoOf(output, output.ContentLength ?? 0);
      await assertBucketExists();
      return undefined;
    },

    put: (key, body, info) => write(key, body, info),

    async replace(key, etag, body, info) {
      const condition = etag === undefined ? { IfNoneMatch: '*' } : { IfMatch: unquoted(etag) };
      return await undefinedIfConditionFails(() => write(key, body, info, condition));
    },

    async delete(keys) {
      keys.forEach(assertObjectKey);
      await deleteObjects(client, bucket, keys);
    },

    async deleteIfMatch(key, etag) {
      const location = locate(key);
      // S3 has no damaged objects.
      if (etag === undefined) return;
      const command = new DeleteObjectCommand({ ...location, IfMatch: unquoted(etag) });
      await undefinedIfConditionFails(() => client.send(command, deadlineIn(WRITE_TIMEOUT_MS)));
    },

    async *list(folder, after) {
      assertFolder(folder);
      yield* listObjects(client, bucket, folder, after);
    },
  };
}

type PutCondition = Pick<PutObjectCommandInput, 'IfMatch' | 'IfNoneMatch'>;

async function putObject(
  client: S3Client,
  target: Pick<PutObjectCommandInput, 'Bucket' | 'Key'> & PutCondition,
  body: Uint8Array,
  { contentType, cacheControl, metadata }: ObjectInfo,
): Promise<{ etag: string }> {
  const { ETag } = await client.send(
    new PutObjectCommand({
      ...target,
      Body: body,
      ContentType: contentType,
      CacheControl: cacheControl,
      Metadata: metadata,
    }),
    deadlineIn(WRITE_TIMEOUT_MS),
  );
  return { etag: etagOf(ETag) };
}

function deadlineIn(timeoutMs: number): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(timeoutMs) };
}

async function bodyOf({ Body }: GetObjectCommandOutput): Promise<Uint8Array<ArrayBuffer>> {
  if (Body === undefined) throw new Error('S3 answered without a body');
  // In Node the SDK collects into ordinary memory, though its type allows for shared memory.
  return (await Body.transformToByteArray()) as Uint8Array<ArrayBuffer>;
}

function infoOf(output: GetObjectCommandOutput | HeadObjectCommandOutput, bytes: number): StoredInfo {
  return {
    contentType: output.ContentType ?? 'application/octet-stream',
    cacheControl: output.CacheControl,
    metadata: output.Metadata ?? {},
    etag: etagOf(output.ETag),
    bytes,
    modifiedMs: output.LastModified?.getTime(),
  };
}

function etagOf(etag: string | undefined): string {
  if (etag === undefined) throw new Error('S3 answered without an ETag');
  return etag;
}

/** For a condition: Amazon accepts an ETag without quotes, and other servers require that. */
function unquoted(etag: string): string {
  return etag.replaceAll('"', '');
}

/** Turns every answer of S3 and compatible servers for a key without an object into `undefined`. A missing bucket is a fault. */
async function undefinedIfMissing<T>(request: () => Promise<T>): Promise<T | undefined> {
  try {
    return await request();
  } catch (error) {
    if (isMissingKey(error)) return undefined;
    throw error;
  }
}

/** Turns the answers to a conditional request into `undefined`: another object, no object, or a concurrent write to the key. */
async function undefinedIfConditionFails<T>(request: () => Promise<T>): Promise<T | undefined> {
  return await undefinedIfMissing(async () => {
    try {
      return await request();
    } catch (error) {
      if (isStatus(error, 412) || isStatus(error, 409)) return undefined;
      throw error;
    }
  });
}

function isMissingKey(error: unknown): boolean {
  return isStatus(error, 404) && error.name !== 'NoSuchBucket';
}

function isStatus(error: unknown, status: number): error is S3ServiceException {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === status;
}

/** Makes calls about this bucket throw a `MissingResource` when S3 says that there is none. */
function nameMissingBucket(client: S3Client, bucket: string): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        const isOfBucket = 'Bucket' in args.input && args.input.Bucket === bucket;
        const isMissing = isOfBucket && (error as Error).name === 'NoSuchBucket';
        throw isMissing ? missingBucket(bucket, error) : error;
      }
    },
    { step: 'initialize', name: `missing bucket ${bucket}`, override: true },
  );
}

function missingBucket(bucket: string, cause: unknown): MissingResource {
  return new MissingResource(`bucket ${JSON.stringify(bucket)}`, 'STORE', cause);
}

/**
 * The answer to HEAD has no body, so a 404 does not say whether the key or the bucket is missing. If a missing bucket counted as a
 * miss, every request would make its variant again. The bucket is checked until one check has succeeded.
 */
function createBucketCheck({ bucket, client }: S3StoreOptions): () => Promise<void> {
  let isKnown = false;
  return async () => {
    if (isKnown) return;
    try {
      await client.send(new HeadBucketCommand({ Bucket: bucket }), deadlineIn(READ_TIMEOUT_MS));
    } catch (error) {
      if (isStatus(error, 404)) throw missingBucket(bucket, error);
      // 403: we may not ask, so it exists.
      if (!isStatus(error, 403)) throw error;
    }
    isKnown = true;
  };
}
