import type { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { EdgepressError } from '../protocol/error.ts';
import { type AllowPattern, allowsObject, isBucketName } from './allowlist.ts';
import { watchPace } from './body-pace.ts';
import { createHostBreakers, type HostBreakers } from './host-breakers.ts';
import { DEFAULT_RETRY_AFTER_SECONDS } from './http-response.ts';
import { readBody } from './read-body.ts';
import type { SourceFetcher } from './source.ts';
import { sourceFailure, unavailable, withDeadline } from './source-failure.ts';

export interface S3SourceOptions {
  client: S3Client;
  /** The objects that may be fetched; empty: none. */
  allow: readonly AllowPattern[];
  maxBytes: number;
  /** The time for the whole fetch, including the retries of the SDK, in milliseconds. */
  timeoutMs: number;
  /** Refuse requests for buckets that do not answer. Default: breakers of this source alone. */
  hosts?: HostBreakers;
}

interface ObjectAddress {
  bucket: string;
  key: string;
}

/** Half of a surrogate pair. It has no UTF-8 form, so no key can contain it. */
const LONE_SURROGATE = /\p{Surrogate}/u;
const NOT_FOUND = new Set(['NoSuchKey', 'NoSuchBucket', 'NotFound']);

/** Creates a fetcher of `s3://bucket/key` sources. */
export function createS3Source(options: S3SourceOptions): SourceFetcher {
  const { client, allow, maxBytes, timeoutMs, hosts = createHostBreakers() } = options;
  const assertAllowed = (src: string): ObjectAddress => {
    const address = parseObjectAddress(src);
    if (allowsObject(allow, address.bucket, address.key)) return address;
    const detail = `this object of s3://${address.bucket} is not among the allowed sources`;
    throw new EdgepressError('source_forbidden', detail);
  };
  return {
    assertAllowed,
    assertReachable: (src) => hosts.assertReachable(`s3://${parseObjectAddress(src).bucket}`),
    async fetch(src, abandoned, watcher) {
      const { bucket, key } = assertAllowed(src);
      const from = `s3://${bucket}`;
      const get = async (signal: AbortSignal, answered: () => void) => {
        try {
          const command = new GetObjectCommand({ Bucket: bucket, Key: key });
          const { Body, ContentLength, ContentEncoding } = await client.send(command, {
            abortSignal: signal,
          });
          answered();
          if (!Body) throw unavailable(`no body from ${from}`, { retryable: true });
          await watcher?.onAnswer();
          watchPace(Body as Readable, { watcher, timeoutMs, from });
          return await readBody(Body as Readable, {
            maxBytes,
            declaredBytes: ContentLength,
            encoding: ContentEncoding,
            signal,
            from,
          });
        } catch (error) {
          if (error instanceof S3ServiceException) answered();
          throw s3Failure(error, from);
        }
      };
      const work = (signal: AbortSignal) =>
        hosts.run({ host: from, resource: key, signal, abandoned, timeoutMs }, get);
      return await withDeadline(timeoutMs, from, work, abandoned);
    },
  };
}

/** The bucket ends at the first slash. The rest is the key as it is, in which `%`, `?` and `#` have no special meaning. */
function parseObjectAddress(src: string): ObjectAddress {
  const [, bucket = '', key = ''] = /^s3:\/\/([^/]*)\/(.+)$/is.exec(src) ?? [];
  if (!isBucketName(bucket) || LONE_SURROGATE.test(key)) {
    throw new EdgepressError('bad_request', 'src must be s3://bucket/key', { parameter: 'src' });
  }
  return { bucket, key };
}

function s3Failure(error: unknown, from: string): EdgepressError {
  if (!(error instanceof S3ServiceException)) return sourceFailure(error, from);
  const status = error.$metadata.httpStatusCode;
  if (status === 404 || NOT_FOUND.has(error.name)) {
    return new EdgepressError('source_not_found', `no such object in ${from}`, { cause: error });
  }
  // A denied access lasts until somebody changes a policy; throttling and errors of S3 are temporary.
  const retryable = status === undefined || status >= 500 || status === 408 || status === 429;
  return unavailable(`status ${status ?? 'unknown'} (${error.name}) from ${from}`, {
    retryable,
    ...((status === 503 || status === 429) && { retryAfterSeconds: DEFAULT_RETRY_AFTER_SECONDS }),
    cause: error,
  });
}
