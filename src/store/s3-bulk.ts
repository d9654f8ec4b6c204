import { createHash } from 'node:crypto';
import { type _Error, DeleteObjectsCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { HttpRequest } from '@smithy/core/transport';
import { isObjectKey, type ListedObject } from './store.ts';

/** For a page of a thousand keys, with all attempts. No viewer waits for it. */
const PAGE_TIMEOUT_MS = 5_000;

/**
 * Lists the objects below a folder, in the order of the keys' bytes. It requests a page when its consumer gets there, and leaves
 * out objects of others whose keys are not valid in a store.
 *
 * @param after - only keys after this one
 */
export async function* listObjects(
  client: S3Client,
  bucket: string,
  folder: string,
  after?: string,
): AsyncGenerator<ListedObject, void, undefined> {
  let continuation: string | undefined;
  do {
    const { Contents, NextContinuationToken } = await client.send(
      new ListObjectsV2Command({
        ...{ Bucket: bucket, Prefix: `${folder}/`, StartAfter: after },
        ContinuationToken: continuation,
      }),
      { abortSignal: AbortSignal.timeout(PAGE_TIMEOUT_MS) },
    );
    for (const { Key, Size, LastModified, ETag } of Contents ?? []) {
      if (Key === undefined || LastModified === undefined)
        throw new Error('S3 listed an object without its key or time');
      if (isObjectKey(Key))
        yield { key: Key, bytes: Size ?? 0, modifiedMs: LastModified.getTime(), etag: ETag };
    }
    continuation = NextContinuationToken;
  } while (continuation !== undefined);
}

/** S3's limit. */
const KEYS_PER_CALL = 1000;
/** Amazon needs about a second for a full call; other servers remove one object after the other. */
const CALL_TIMEOUT_MS = 5_000;
const TIMEOUT_MS_PER_KEY = 10;

/**
 * Removes objects, a thousand per call.
 *
 * @throws Error naming the first key that S3 did not remove, after all calls; or the error of the first call that fails
 */
export async function deleteObjects(
  client: S3Client,
  bucket: string,
  keys: readonly string[],
): Promise<void> {
  const errors: _Error[] = [];
  for (let start = 0; start < keys.length; start += KEYS_PER_CALL) {
    const batch = keys.slice(start, start + KEYS_PER_CALL);
    const timeoutMs = CALL_TIMEOUT_MS + batch.length * TIMEOUT_MS_PER_KEY;
    const { Errors = [] } = await client.send(deleteCommand(bucket, batch), {
      abortSignal: AbortSignal.timeout(timeoutMs),
    });
    // Amazon does not send this: it counts a key without an object as removed.
    errors.push(...Errors.filter(({ Code }) => Code !== 'NoSuchKey'));
  }
  const [first] = errors;
  if (first === undefined) return;
  const others = errors.length > 1 ? `, and ${errors.length - 1} more` : '';
  throw new Error(`S3 did not delete ${first.Key}: ${first.Code}: ${first.Message}${others}`);
}

function deleteCommand(bucket: string, keys: readonly string[]): DeleteObjectsCommand {
  const command = new DeleteObjectsCommand({
    Bucket: bucket,
    Delete: { Quiet: true, Objects: keys.map((key) => ({ Key: key })) },
  });
  // Amazon accepts the CRC that the SDK sends, and also this MD5; older servers of others accept only the MD5.
  command.middlewareStack.add(
    (next) => async (args) => {
      const { request } = args;
      if (HttpRequest.isInstance(request)) {
        request.headers['content-md5'] = createHash('md5').update(request.body).digest('base64');
      }
      return await next(args);
    },
    { step: 'build', name: 'contentMd5' },
  );
  return command;
}
