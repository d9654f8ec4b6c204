import { randomUUID } from 'node:crypto';
import type { GetObjectCommand as GetObject } from '@aws-sdk/client-s3';
import type { Config } from '../../src/config.ts';
import { readPhotographs } from '../../src/demo/demo.ts';
import { SMOKE_PREFIX } from '../../src/protocol/keys.ts';
import { CommandFailure, messageOf } from '../cli/command.ts';
import { formatCount } from '../cli/text.ts';

/** The original that is requested. */
export interface SmokeSource {
  url: string;
  /** The URL without what signs it, for the user. */
  shown: string;
  /** Another URL of it, which has 4,000 characters; `undefined`: there is none, or its own is as long. */
  longUrl: string | undefined;
  /** Puts an original beside it that is made of the photograph; `undefined` when the user has given the original. */
  put?: (make: (photograph: Buffer) => Promise<Uint8Array>) => Promise<StoredOriginal>;
  /** Deletes it, when it was put there for this run, and what was put beside it. */
  remove?: () => Promise<void>;
}

export interface StoredOriginal {
  url: string;
  remove: () => Promise<void>;
}

const PRESIGNED_SECONDS = 3600;
const MAX_URL_CHARACTERS = 4096;
const LONG_URL_CHARACTERS = 4000;
/** In bytes, of an original's URL in an image URL: the service takes 6,000 of the whole. */
const MAX_ENCODED_LENGTH = 5500;
/** S3 ignores parameters that begin with `x-`. */
const PADDING = 'x-smoke';

/**
 * Chooses an original that the service can fetch: the given one, or else a photograph in the bucket of the store, at a presigned URL,
 * which the service fetches like any public one.
 *
 * @returns a function that puts it there
 * @throws CommandFailure when there is neither
 */
export function chooseSource(
  { store, s3Endpoint }: Config,
  src: string | undefined,
): () => Promise<SmokeSource> {
  if (src !== undefined) return async () => ({ url: src, shown: src, longUrl: lengthen(src) });
  if (store.kind === 's3') return () => uploadPhotograph(store.bucket, s3Endpoint);
  throw new CommandFailure(
    'There is no original to request: STORE is a folder, from which the service cannot fetch. Give an original that it can fetch, with --src.',
  );
}

function lengthen(src: string): string | undefined {
  if (!/^https?:/.test(src)) return undefined;
  const begun = `${src}${src.includes('?') ? '&' : '?'}${PADDING}=`;
  const long = begun.padEnd(LONG_URL_CHARACTERS, 'x');
  // One that has as many characters already is asked for in all other steps.
  const isTooLong =
    begun.length >= LONG_URL_CHARACTERS || encodeURIComponent(long).length > MAX_ENCODED_LENGTH;
  return isTooLong ? undefined : long;
}

async function uploadPhotograph(bucket: string, endpoint: string | undefined): Promise<SmokeSource> {
  const [photograph] = await readPhotographs();
  if (!photograph) throw new Error('no photograph is shipped');
  const originals = await openOriginals(bucket, endpoint);
  const key = `${SMOKE_PREFIX}/${randomUUID()}.jpg`;
  const shown = `s3://${bucket}/${key}, presigned`;
  try {
    // Before anything is put there.
    requireShort(await originals.presign(key));
    const { url } = await originals.put(key, photograph.bytes);
    const { length } = await originals.presign(key, '');
    const room = LONG_URL_CHARACTERS - length;
    const longUrl = room > 0 ? await originals.presign(key, 'x'.repeat(room)) : undefined;
    return {
      ...{ url, shown, longUrl },
      put: async (make) =>
        originals.put(`${SMOKE_PREFIX}/${randomUUID()}.jpg`, await make(Buffer.from(photograph.bytes))),
      remove: originals.removeAll,
    };
  } catch (error) {
    originals.close();
    if (error instanceof CommandFailure) throw error;
    throw new CommandFailure(`The photograph cannot be stored at ${shown}: ${messageOf(error)}`);
  }
}

/** @throws CommandFailure for a presigned URL that the service would refuse */
function requireShort({ length }: string): void {
  if (length <= MAX_URL_CHARACTERS) return;
  throw new CommandFailure(
    `The presigned URL of the photograph has ${formatCount(length)} characters, and the service takes ${formatCount(MAX_URL_CHARACTERS)}: the session token of the AWS credentials makes it so long. ` +
      'Use credentials with a shorter one or none, such as those of another profile, or give an original that the service can fetch, with --src.',
  );
}

/** Opens a bucket to put originals there. */
async function openOriginals(bucket: string, endpoint: string | undefined) {
  // Loaded here because the AWS SDK takes longer to load than everything else.
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
  const { createS3Client } = await import('../../src/store/s3-client.ts');
  const { createS3Store } = await import('../../src/store/s3-store.ts');
  const client = createS3Client({ endpoint });
  const store = createS3Store({ bucket, client });
  const keys = new Set<string>();

  async function presign(Key: string, padding?: string): Promise<string> {
    const get = new GetObjectCommand({ Bucket: bucket, Key });
    if (padding !== undefined) addParameter(get, PADDING, padding);
    return await getSignedUrl(client, get, { expiresIn: PRESIGNED_SECONDS });
  }
  async function remove(...removed: readonly string[]): Promise<void> {
    await store.delete(removed);
    for (const key of removed) keys.delete(key);
  }
  return {
    presign,
    async put(key: string, bytes: Uint8Array): Promise<StoredOriginal> {
      keys.add(key);
      await store.put(key, bytes, { contentType: 'image/jpeg' });
      return { url: await presign(key), remove: () => remove(key) };
    },
    async removeAll(): Promise<void> {
      await remove(...keys);
      client.destroy();
    },
    close: () => client.destroy(),
  };
}

/** Adds a parameter to the URL of a command before it is signed. */
function addParameter(command: GetObject, name: string, value: string): void {
  command.middlewareStack.add(
    (next) => (args) => {
      const { query } = args.request as { query: Record<string, string> };
      query[name] = value;
      return next(args);
    },
    { step: 'build' },
  );
}
