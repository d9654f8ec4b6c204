import { pino } from 'pino';
import packageJson from '../../package.json' with { type: 'json' };
import { readConfig, xrayHeader } from '../config.ts';
import { createCountLog } from '../count-log.ts';
import { createLambdaMessages, type SqsEvent } from '../queue/lambda-messages.ts';
import { createSqsClient } from '../queue/sqs-api.ts';
import { createServices } from '../services.ts';
import { embedImageMetrics } from '../telemetry/emf.ts';
import { createLambdaPlatform } from '../telemetry/lambda-platform.ts';
import { loadOpenTelemetry } from '../telemetry/load-opentelemetry.ts';
import { logOptions } from '../telemetry/log-options.ts';
import { createTracing } from '../tracing.ts';
import { createLogJobError } from '../unit/log-job-error.ts';
import { logImage } from '../unit/outcome.ts';
import { createUnitServices, type OnOutcome, type UnitServices } from '../unit-services.ts';
import { collectLessOften } from './collect-less-often.ts';

// The Lambda function that processes the queue: it prewarms units. On a schedule, it sweeps what crashed work left of purged units.

/** The part of the context of an invocation that is used here. */
interface LambdaContext {
  awsRequestId?: string;
  getRemainingTimeInMillis(): number;
}

/** What EventBridge sends on a schedule. */
interface ScheduledEvent {
  source: 'aws.events';
}

/** The last part of an invocation, in which no work is started: long enough for a fetch, and for the encodes in flight at effort `best` on one CPU. */
const DRAIN_MS = 180_000;
/** Fewer than on one machine, because many workers fetch from the same client's server. */
const FETCHES_PER_HOST = 4;

collectLessOften();
// A time limit ends what hangs, and a function that crashes is started again: it needs no other processes.
const config = { ...readConfig(), encoderProcesses: false };
const log = pino({ ...logOptions(config.logLevel), base: null });
if (config.queue.kind !== 'sqs')
  throw new Error('QUEUE must be the URL of the SQS queue whose messages come here');
const platform = createLambdaPlatform();
const telemetry = await loadOpenTelemetry(config, packageJson.version);
const services = await createServices(config, log, {
  tracing: createTracing({ tracer: telemetry?.tracer, platform: platform.current }),
  lazy: true,
  // CloudFront may be busy for longer than an invocation lasts.
  invalidatesByQueue: true,
  // An invocation must not leave anything to be done after it.
  notifiesFirst: true,
});
const logCounts = createCountLog(config, log, services);
const logJobError = createLogJobError(log);
const embedMetrics = config.emfNamespace === undefined ? undefined : embedImageMetrics(config.emfNamespace);
const client = createSqsClient({ endpoint: config.sqsEndpoint });
const messages = createLambdaMessages({
  ...{ url: config.queue.url, client },
  onUnfair: (reason) => log.warn({ reason }, 'the queue takes no MessageGroupId'),
});

/**
 * Processes the messages of an event, or sweeps.
 *
 * @returns the messages that SQS has to deliver again
 */
export async function handler(event: SqsEvent | ScheduledEvent, context: LambdaContext) {
  platform.enter({ awsRequestId: context.awsRequestId, xrayHeader: xrayHeader() });
  const remainingMs = Math.max(context.getRemainingTimeInMillis(), 0);
  const signal = AbortSignal.timeout(Math.floor(remainingMs - Math.min(DRAIN_MS, remainingMs / 3)));
  const options = { signal, fetchesPerHost: FETCHES_PER_HOST };
  const unitServices = await createUnitServices(config, log, services, options);
  try {
    if ('source' in event) return await sweep(unitServices, signal);
    const onOutcome: OnOutcome = (outcome) => logImage(log, outcome, embedMetrics);
    return await messages.process(event, {
      signal,
      handle: (job) => unitServices.processJob(job, onOutcome),
      onError: logJobError,
      onGiveUp: unitServices.failJob,
      onLastAttempt: unitServices.units.lastAttempts.begin,
      ingestObject: unitServices.ingestObject,
    });
  } finally {
    await unitServices.drain();
    await services.beforeFreeze();
    logCounts();
  }
}

/** Sweeps, and sends the events that could not be sent when they happened. */
async function sweep({ units, notifications }: UnitServices, signal: AbortSignal): Promise<void> {
  notifications.start({ takesUp: true });
  await units.sweep(signal);
  await notifications.flushed(signal);
}
