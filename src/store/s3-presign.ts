import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

/** Long enough to follow a redirect over a slow connection, and shorter than the credentials of any function live. */
const LIFETIME_SECONDS = 300;

/** A URL under which anybody can have an object for the next five minutes, as S3 serves it. */
export async function presignObject(client: S3Client, bucket: string, key: string): Promise<string> {
  const command = new GetObjectCommand({ Bucket: bucket, Key: key });
  return await getSignedUrl(client, command, { expiresIn: LIFETIME_SECONDS });
}
