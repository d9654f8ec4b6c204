import { paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { readS3Object, type S3Object } from '../../src/store/s3-object.ts';
import { CommandFailure, messageOf } from './command.ts';
import type { InputSource } from './input-source.ts';

const S3_NAME = /^s3:\/\/([^/]+)\/(.*)$/s;
const WILDCARD = /[*?]/;

/** Whether the name of an input is that of objects in S3. */
export function isS3Name(name: string): boolean {
  return name.startsWith('s3://');
}

/**
 * Finds the objects that a name means, in the order of their keys: `s3://bucket/key`; all below `s3://bucket/folder/`; or those that match
 * a pattern, in which `*` is any text without a slash, and `?` one character.
 *
 * @throws CommandFailure if there is none, or they cannot be listed
 */
export async function findS3Objects(name: string, client: S3Client): Promise<InputSource[]> {
  const [, bucket, pattern] = S3_NAME.exec(name) ?? [];
  if (bucket === undefined || pattern === undefined)
    throw new CommandFailure(`${name} is not s3://bucket/key`);
  const prefix = pattern.split(WILDCARD, 1)[0] ?? '';
  const matches = matcherOf(pattern);
  const found: InputSource[] = [];
  try {
    for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
      for (const { Key: key = '', Size: bytes = 0, ETag: etag } of page.Contents ?? []) {
        if (matches(key)) found.push(objectSource(client, { bucket, key, bytes, etag }));
      }
    }
  } catch (error) {
    throw new CommandFailure(`${name} cannot be listed: ${messageOf(error)}`);
  }
  if (found.length === 0) throw new CommandFailure(`${name}: there is no such object`);
  return found;
}

function matcherOf(pattern: string): (key: string) => boolean {
  // Folders of the console are empty objects whose key ends with a slash.
  if (pattern === '' || pattern.endsWith('/')) return (key) => key.startsWith(pattern) && !key.endsWith('/');
  if (!WILDCARD.test(pattern)) return (key) => key === pattern;
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
  const expression = new RegExp(`^${source}$`, 's');
  return (key) => expression.test(key);
}

/** Returns an object as an input. It is read in ranges, so that a run may take hours over it. */
export function objectSource(client: S3Client, object: S3Object): InputSource {
  const name = `s3://${object.bucket}/${object.key}`;
  return {
    name,
    bytes: object.bytes,
    async *chunks(signal) {
      try {
        yield* readS3Object(client, object, signal);
      } catch (error) {
        if (signal.aborted) return;
        throw new CommandFailure(`${name} cannot be read to its end: ${messageOf(error)}`);
      }
    },
  };
}
