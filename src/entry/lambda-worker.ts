import { pino } from 'pino';
import { readConfig } from '../config.ts';
import { createLambdaMessages, type SqsEvent } from '../queue/lambda-messages.ts';
import { createSqsClient } from '../queue/sqs-api.ts';
import { createServices } from '../services.ts';
import { logImage } from '../unit/outcome.ts';
import { createUnitServices } from '../unit-services.ts';

// The function that works on the queue: it prewarms units, and cleans up from time to time what died.

/** What is used of the context of an invocation. */
interface LambdaContext {
  getRemainingTimeInMillis(): number;
}

/** What EventBridge sends on schedule. */
interface ScheduledEvent {
  source: 'aws.events';
}

/** What has begun by then has this long to end: a fetch, and each picture in hand at its best effort on the one processor. */
const LAST_MS = 180_000;
/** There are many workers at once, and each asks a client's server for so many images at a time. */
const FETCHES_PER_HOST = 4;

const config = readConfig();
const log = pino({ level: config.logLevel, base: null });
if (config.queue.kind !== 'sqs')
  throw new Error('QUEUE must be the URL of the SQS queue whose messages come here');
const services = await createServices(config, log, {
  lazy: true,
  // CloudFront may be busy for longer than an invocation lasts.
  invalidatesByQueue: true,
});
const client = createSqsClient({ endpoint: config.sqsEndpoint });
const worker = createLambdaMessages({ url: config.queue.url, client });

/**
 * Works on the messages of an event.
 *
 * @returns the messages that are to come again
 */
export async function handler(event: SqsEvent | ScheduledEvent, context: LambdaContext) {
  const remainingMs = Math.max(context.getRemainingTimeInMillis(), 0);
  const signal = AbortSignal.timeout(Math.floor(remainingMs - Math.min(LAST_MS, remainingMs / 3)));
  const options = { signal, fetchesPerHost: FETCHES_PER_HOST };
  const units = await createUnitServices(config, log, services, options);
  try {
    if ('source' in event) return await units.units.sweep(signal);
    const tell = (outcome: Parameters<typeof logImage>[1]) => logImage(log, outcome);
    return await worker.work(event, {
      signal,
      handle: (job) => units.doJob(job, tell),
      report: (fault, job) => log.error({ err: fault, unit: job?.unit }, 'a unit could not be prewarmed'),
    });
  } finally {
    await units.finish();
    // Between invocations the process is frozen.
    await services.settle();
  }
}
