import { randomUUID } from 'node:crypto';
import type { Config } from '../../src/config.ts';
import { readPhotographs } from '../../src/demo/demo.ts';
import { SMOKE_PREFIX } from '../../src/protocol/keys.ts';
import { CommandFailure } from '../cli/command.ts';

/** An original to ask for. */
export interface SmokeSource {
  url: string;
  /** Without what signs it. */
  shown: string;
  /** Takes it away again, where it is ours. */
  remove?: () => Promise<void>;
}

const PRESIGNED_SECONDS = 3600;

/**
 * Finds an original that the service can fetch: the one that is given, or else a photograph of our own in the store's bucket, at a
 * presigned URL, so that it is at a public address like any other.
 *
 * @returns what puts it there
 * @throws CommandFailure when there is neither
 */
export function findSource(
  { store, s3Endpoint }: Config,
  given: string | undefined,
): () => Promise<SmokeSource> {
  if (given !== undefined) return async () => ({ url: given, shown: given });
  if (store.kind === 's3') return () => placePhotograph(store.bucket, s3Endpoint);
  throw new CommandFailure(
    'There is no original to ask for: STORE is a folder, from which nothing can be fetched. Give one that the service can fetch, with --src.',
  );
}

async function placePhotograph(bucket: string, endpoint: string | undefined): Promise<SmokeSource> {
  // What talks to AWS is loaded only where it is used: it takes longer to load than all the rest.
  const { GetObjectCommand } = await import('@aws-sdk/client-s3');
  const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner');
  const { createS3Client } = await import('../../src/store/s3-client.ts');
  const { createS3Store } = await import('../../src/store/s3-store.ts');
  const [photograph] = await readPhotographs();
  if (!photograph) throw new Error('no photograph is shipped');
  const client = createS3Client({ endpoint });
  const store = createS3Store({ bucket, client });
  const key = `${SMOKE_PREFIX}/${randomUUID()}.jpg`;
  const shown = `s3://${bucket}/${key}, presigned`;
  try {
    await store.put(key, photograph.bytes, { contentType: 'image/jpeg' });
    const get = new GetObjectCommand({ Bucket: bucket, Key: key });
    const url = await getSignedUrl(client, get, { expiresIn: PRESIGNED_SECONDS });
    return {
      url,
      shown,
      async remove() {
        await store.delete([key]);
        client.destroy();
      },
    };
  } catch (error) {
    client.destroy();
    throw new CommandFailure(`No photograph can be put at ${shown}: ${(error as Error).message}`);
  }
}
