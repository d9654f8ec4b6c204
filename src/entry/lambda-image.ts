import { handle, type LambdaContext, type LambdaEvent } from 'hono/aws-lambda';
import { pino } from 'pino';
import packageJson from '../../package.json' with { type: 'json' };
import { type Config, readConfig, xrayHeader } from '../config.ts';
import { createCountLog } from '../count-log.ts';
import { createKeyHash } from '../hashing.ts';
import { createApp } from '../http/app.ts';
import { createServices } from '../services.ts';
import { embedRequestMetrics } from '../telemetry/emf.ts';
import { createLambdaPlatform } from '../telemetry/lambda-platform.ts';
import { loadOpenTelemetry } from '../telemetry/load-opentelemetry.ts';
import { logOptions } from '../telemetry/log-options.ts';
import { createTracing } from '../tracing.ts';
import { createReadForwardedTarget } from '../variant/read-target.ts';
import { collectLessOften } from './collect-less-often.ts';

// The Lambda function behind CloudFront that makes the variants that are not in the bucket. HTTP client and encoder are loaded on the
// first miss.

/** A response of Lambda is at most 6 MB. In it an image is base64, a third longer; the rest is for headers. */
const MAX_BODY_BYTES = 4_500_000;

collectLessOften();
// A time limit ends what hangs, and a function that crashes is started again: it needs no other processes.
const config = { ...readConfig(), encoderProcesses: false, notify: [] };
const bucket = bucketOf(config);
const log = pino({ ...logOptions(config.logLevel), base: null });
const platform = createLambdaPlatform();
const telemetry = await loadOpenTelemetry(config, packageJson.version);
const tracing = createTracing({ tracer: telemetry?.tracer, platform: platform.current });
const services = await createServices(config, log, {
  tracing,
  lazy: true,
  readTarget: createReadForwardedTarget({
    ladder: config.ladder,
    sha256: createKeyHash(config.sourceIgnoredParameters),
  }),
  // The distribution depends on this function, so the function cannot know its id. The worker invalidates instead.
  invalidatesByQueue: true,
});
const logCounts = createCountLog(config, log, services);
const app = createApp({
  getVariant: services.getVariant,
  cacheControl: config.cacheControl,
  log,
  tracing,
  embedMetrics: config.emfNamespace === undefined ? undefined : embedRequestMetrics(config.emfNamespace),
  cdnOrigin: {
    maxBodyBytes: MAX_BODY_BYTES,
    async presign(key) {
      const { presignObject } = await import('../store/s3-presign.ts');
      return await presignObject(await services.s3Client(), bucket, key);
    },
  },
});
const handleEvent = handle(app);

/** Answers an event of the function URL. */
export async function handler(event: LambdaEvent, context: LambdaContext) {
  platform.enter({ awsRequestId: context.awsRequestId, xrayHeader: xrayHeader() });
  const response = await handleEvent(event, context);
  await services.beforeFreeze();
  logCounts();
  return response;
}

function bucketOf({ store }: Config): string {
  if (store.kind !== 's3') throw new Error('STORE must be s3://BUCKET: a function has no disk that lasts');
  return store.bucket;
}
