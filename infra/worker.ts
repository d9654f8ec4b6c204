import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget, SqsQueue as QueueTarget } from 'aws-cdk-lib/aws-events-targets';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { Code, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import {
  allow,
  grantIngest,
  grantNotify,
  grantSourceHeaders,
  grantSources,
  grantStore,
  grantSweep,
} from './permissions.ts';
import { createServiceFunction } from './service-function.ts';
import type { Settings } from './settings.ts';

/** Lambda's maximum. */
const WORKER_TIMEOUT = Duration.minutes(15);
/** The maximum retention of SQS. */
const DEAD_LETTER_DAYS = 14;
/** AWS recommends at least 5 with Lambda: while the function is throttled, a message is received again without having been processed. */
const MAX_RECEIVES = 5;
/** AWS recommends six times the function's timeout: Lambda's own retries have to be over before the message is visible again. */
const VISIBILITY_FACTOR = 6;
const SWEEP_INTERVAL = Duration.minutes(10);

export interface Queues {
  /** Units to prewarm. */
  readonly queue: Queue;
  /** Messages that failed `MAX_RECEIVES` times. */
  readonly deadLetters: Queue;
}

/** Creates the worker's queue and its dead-letter queue. */
export function createQueues(scope: Construct, settings: Settings): Queues {
  const deadLetters = new Queue(scope, 'DeadLetters', {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(DEAD_LETTER_DAYS),
  });
  const queue = new Queue(scope, 'Queue', {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(settings.queueRetentionDays),
    visibilityTimeout: Duration.seconds(
      VISIBILITY_FACTOR * WORKER_TIMEOUT.toSeconds() + settings.workerBatchWindowSeconds,
    ),
    deadLetterQueue: { queue: deadLetters, maxReceiveCount: MAX_RECEIVES },
  });
  return { queue, deadLetters };
}

export interface WorkerOptions {
  readonly code: Code;
  readonly bucket: IBucket;
  readonly queue: Queue;
  readonly distributionId: string;
  readonly distributionArn: string;
  readonly settings: Settings;
}

/** Creates the function that prewarms the queue's units, and every ten minutes sweeps variants that outlived a purge. */
export function createWorker(scope: Construct, options: WorkerOptions): LambdaFunction {
  const { code, bucket, queue, distributionId, distributionArn, settings } = options;
  const { fn: worker, role } = createServiceFunction(scope, 'Worker', {
    description: 'Prewarms units, and sweeps variants that outlived a purge',
    code,
    handler: 'lambda-worker.handler',
    memoryMb: settings.workerMemoryMb,
    timeout: WORKER_TIMEOUT,
    reservedConcurrency: settings.workerReservedConcurrency,
    logRetentionDays: settings.logRetentionDays,
    collectorLayerArn: settings.collectorLayerArn,
    // A job whose host is in use by others is sent again, a minute later, for as long as that lasts; one that fails is received five
    // times at most.
    sendsToItself: true,
    environment: {
      STORE: `s3://${bucket.bucketName}`,
      QUEUE: queue.queueUrl,
      CDN: `cloudfront:${distributionId}`,
      ...settings.environment,
      CONCURRENCY: String(settings.workerConcurrency),
    },
  });
  grantWork(role, { bucket, queue, distributionArn, settings });
  worker.addEventSource(
    new SqsEventSource(queue, {
      batchSize: settings.workerBatchSize,
      maxBatchingWindow: Duration.seconds(settings.workerBatchWindowSeconds),
      reportBatchItemFailures: true,
      // However long the queue is, the rest of the account's concurrency is left for viewers.
      maxConcurrency: settings.workerMaxConcurrency,
    }),
  );
  scheduleSweep(scope, worker);
  sendObjectEvents(scope, queue, settings);
  return worker;
}

/** Lets a worker do what jobs ask for, and sweep. */
export function grantWork(
  role: IRole,
  { bucket, queue, distributionArn, settings }: Omit<WorkerOptions, 'code' | 'distributionId'>,
): void {
  grantStore(role, bucket);
  grantSweep(role, bucket);
  grantSources(role, settings.config.sourceAllow);
  grantSourceHeaders(role, settings.config.sourceHeaders);
  grantNotify(role, bucket, settings.config);
  grantIngest(role, bucket, settings.config);
  // To send the failed jobs of a message again, without those that succeeded.
  allow(role, ['sqs:SendMessage'], [queue.queueArn]);
  allow(role, ['cloudfront:CreateInvalidation', 'cloudfront:GetInvalidation'], [distributionArn]);
}

/** Sends the events of new objects with units to the queue. Unlike a notification of S3, a rule leaves the settings of the bucket alone. */
function sendObjectEvents(scope: Construct, queue: Queue, { config }: Settings): void {
  for (const [index, { bucket, prefix }] of config.ingestFrom.entries()) {
    new Rule(scope, `NewUnits${index + 1}`, {
      description: `Has units read that are new in s3://${bucket}/${prefix}`,
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: { bucket: { name: [bucket] }, ...(prefix !== '' && { object: { key: [{ prefix }] } }) },
      },
      targets: [new QueueTarget(queue)],
    });
  }
}

function scheduleSweep(scope: Construct, worker: LambdaFunction): void {
  // Concerns the sweep alone: the queue has retries of its own. A sweep that fails is followed by the next one.
  worker.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: SWEEP_INTERVAL });
  new Rule(scope, 'SweepSchedule', {
    description: 'Deletes what interrupted work has left behind of purged units',
    schedule: Schedule.rate(SWEEP_INTERVAL),
    targets: [new LambdaTarget(worker)],
  });
}
