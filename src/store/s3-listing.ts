import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { isObjectKey } from './object-key.ts';
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
