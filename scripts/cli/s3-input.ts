import { GetObjectCommand, paginateListObjectsV2, type S3Client } from '@aws-sdk/client-s3';
import { CommandFailure, messageOf } from './command.ts';
import type { InputSource } from './input-source.ts';

const S3_NAME = /^s3:\/\/([^/]+)\/(.*)$/s;
const WILDCARD = /[*?]/;
/**
 * An object is read in ranges of this length, each whole: prewarm may take hours over an object, and no server keeps an answer open for so
 * long.
 */
const RANGE_BYTES = 2 ** 23;

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

interface S3Object {
  bucket: string;
  key: string;
  bytes: number;
  etag: string | undefined;
}

function objectSource(client: S3Client, { bucket, key, bytes, etag }: S3Object): InputSource {
  const name = `s3://${bucket}/${key}`;
  async function readRange(start: number, signal: AbortSignal): Promise<Uint8Array> {
    const range = `bytes=${start}-${Math.min(start + RANGE_BYTES, bytes) - 1}`;
    const command = new GetObjectCommand({ Bucket: bucket, Key: key, Range: range, IfMatch: etag });
    const { Body } = await client.send(command, { abortSignal: signal });
    return (await Body?.transformToByteArray()) ?? new Uint8Array();
  }
  return {
    name,
    bytes,
    async *chunks(signal) {
      for (let start = 0; start < bytes; start += RANGE_BYTES) {
        const chunk = await readRange(start, signal).catch((error: unknown) => {
          if (signal.aborted) return undefined;
          throw new CommandFailure(`${name} cannot be read to its end: ${messageOf(error)}`);
        });
        if (!chunk) return;
        yield chunk;
      }
    },
  };
}
