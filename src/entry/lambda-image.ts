import { handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda';
import { pino } from 'pino';
import { type Config, readConfig } from '../config.ts';
import { sha256 } from '../hashing.ts';
import { createApp } from '../http/app.ts';
import { createServices } from '../services.ts';
import { createReadForwardedTarget } from '../variant/read-target.ts';

// The function behind CloudFront that makes the variants that are not in the bucket. What makes them is loaded when one has to be made.

/** Lambda takes an answer of 6 MB, in which a picture is base64, a third longer; the rest is for headers. */
const MAX_BODY_BYTES = 4_500_000;

const config = readConfig();
const bucket = bucketOf(config);
const log = pino({ level: config.logLevel, base: null });
const services = await createServices(config, log, {
  lazy: true,
  readTarget: createReadForwardedTarget({ ladder: config.ladder, sha256 }),
  // The distribution depends on this function, which therefore cannot know it: the worker tells it what to forget.
  invalidatesByQueue: true,
});
const app = createApp({
  getVariant: services.getVariant,
  log,
  cdnOrigin: {
    maxBodyBytes: MAX_BODY_BYTES,
    async presign(key) {
      const { presignObject } = await import('../store/s3-client.ts');
      return await presignObject(await services.s3Client(), bucket, key);
    },
  },
});
const answer = handle(app);

/** Answers an event of the function URL. */
export async function handler(event: LambdaEvent, context: LambdaContext) {
  const response = await answer(event, context);
  // Once it is answered, the process is frozen.
  await services.settle();
  return response;
}

function bucketOf({ store }: Config): string {
  if (store.kind !== 's3') throw new Error('STORE must be s3://BUCKET: a function has no disk that lasts');
  return store.bucket;
}
