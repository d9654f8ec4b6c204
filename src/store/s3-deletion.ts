import { createHash } from 'node:crypto';
import { type _Error, DeleteObjectsCommand, type S3Client } from '@aws-sdk/client-s3';
import { HttpRequest } from '@smithy/core/transport';

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
