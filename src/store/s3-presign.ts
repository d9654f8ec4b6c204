import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

// A module of its own, because it is imported lazily: only variants too large for Lambda's answer need it. The lazy import has to be
// that of this module and not of the package, which is CommonJS: esbuild gives a lazy import of that no named exports.

/** Long enough to follow a redirect over a slow connection, and shorter than the credentials of any function live. */
const PRESIGNED_URL_SECONDS = 300;

/** Returns a URL with which anybody can get an object from S3 for the next five minutes. */
export async function presignObject(client: S3Client, bucket: string, key: string): Promise<string> {
  const command = new GetObjectCommand({ Bucket: bucket, Key: key });
  return await getSignedUrl(client, command, { expiresIn: PRESIGNED_URL_SECONDS });
}
