import { createHash } from 'node:crypto';
import { type _Error, DeleteObjectsCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { HttpRequest } from '@smithy/core/transport';
import { isObjectKey } from './object-validation.ts';
import type { ListedObject } from './store.ts';

/** For a page of a thousand, with all its attempts. No viewer waits for it. */
const PAGE_TIMEOUT_MS = 5_000;

/**
 * Lists the objects below a folder, in the order of the keys' bytes, and asks for a page when it is wanted. What others put there
 * under a key that is none of ours is left out.
 */
export async function* listObjects(
  client: S3Client,
  bucket: string,
  folder: string,
): AsyncGenerator<ListedObject, void, undefined> {
  let next: string | undefined;
  do {
    const { Contents, NextContinuationToken } = await client.send(
      new ListObjectsV2Command({ Bucket: bucket, Prefix: `${folder}/`, ContinuationToken: next }),
      { abortSignal: AbortSignal.timeout(PAGE_TIMEOUT_MS) },
    );
    for (const { Key, Size, LastModified } of Contents ?? []) {
      if (Key === undefined || LastModified === undefined)
        throw new Error('S3 listed an object without its key or time');
      if (isObjectKey(Key)) yield { key: Key, bytes: Size ?? 0, modifiedMs: LastModified.getTime() };
    }
    next = NextContinuationToken;
  } while (next !== undefined);
}

/** S3's bound. */
const KEYS_A_CALL = 1000;
/** Amazon takes a second or so for a full call; other servers remove one object after the other. */
const CALL_TIMEOUT_MS = 5_000;
const KEY_TIMEOUT_MS = 10;

/**
 * Removes objects, a thousand a call.
 *
 * @throws Error naming the first key that S3 did not remove, when all calls have been made; or at the first call that fails
 */
export async function deleteObjects(
  client: S3Client,
  bucket: string,
  keys: readonly string[],
): Promise<void> {
  const faults: _Error[] = [];
  for (let start = 0; start < keys.length; start += KEYS_A_CALL) {
    const some = keys.slice(start, start + KEYS_A_CALL);
    const timeoutMs = CALL_TIMEOUT_MS + some.length * KEY_TIMEOUT_MS;
    const { Errors = [] } = await client.send(commandFor(bucket, some), {
      abortSignal: AbortSignal.timeout(timeoutMs),
    });
    // Not from Amazon, for which a key that is not there has been removed.
    faults.push(...Errors.filter(({ Code }) => Code !== 'NoSuchKey'));
  }
  const [first] = faults;
  if (first === undefined) return;
  const others = faults.length > 1 ? `, and ${faults.length - 1} more` : '';
  throw new Error(`S3 did not delete ${first.Key}: ${first.Code}: ${first.Message}${others}`);
}

function commandFor(bucket: string, keys: readonly string[]): DeleteObjectsCommand {
  const command = new DeleteObjectsCommand({
    Bucket: bucket,
    Delete: { Quiet: true, Objects: keys.map((key) => ({ Key: key })) },
  });
  // Amazon takes the CRC that the SDK sends, and this as well; older servers of others take nothing else.
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
