import { randomUUID } from 'node:crypto';
import type { Config } from '../../src/config.ts';
import { readPhotographs } from '../../src/demo/demo.ts';
import { SMOKE_PREFIX } from '../../src/protocol/keys.ts';
import { CommandFailure, messageOf } from '../cli/command.ts';

/** The original that is requested. */
export interface SmokeSource {
  url: string;
  /** The URL without what signs it, for the user. */
  shown: string;
  /** Deletes it, when it was put there for this run. */
  remove?: () => Promise<void>;
}

const PRESIGNED_SECONDS = 3600;

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
  if (src !== undefined) return async () => ({ url: src, shown: src });
  if (store.kind === 's3') return () => uploadPhotograph(store.bucket, s3Endpoint);
  throw new CommandFailure(
    'There is no original to request: STORE is a folder, from which the service cannot fetch. Give an original that it can fetch, with --src.',
  );
}

async function uploadPhotograph(bucket: string, endpoint: string | undefined): Promise<SmokeSource> {
  // Loaded here because the AWS SDK takes longer to load than everything else.
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
    throw new CommandFailure(`The photograph cannot be stored at ${shown}: ${messageOf(error)}`);
  }
}
