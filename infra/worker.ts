import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget } from 'aws-cdk-lib/aws-events-targets';
import type { Code, Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { allow, grantSources, grantStore, grantSweep } from './permissions.ts';
import { WORKER_TIMEOUT } from './queues.ts';
import { createServiceFunction } from './service-function.ts';
import type { Settings } from './settings.ts';

export interface WorkerOptions {
  readonly code: Code;
  readonly bucket: IBucket;
  readonly queue: Queue;
  readonly distributionId: string;
  readonly distributionArn: string;
  readonly settings: Settings;
}

const SWEEP_INTERVAL = Duration.minutes(10);

/** The function that prewarms the units of the queue, and sweeps what others left behind when they died. */
export function createWorker(scope: Construct, options: WorkerOptions): LambdaFunction {
  const { code, bucket, queue, distributionId, distributionArn, settings } = options;
  const { fn: worker, role } = createServiceFunction(scope, 'Worker', {
    description: 'Prewarms units, and sweeps what was purged',
    code,
    handler: 'lambda-worker.handler',
    memoryMb: settings.workerMemoryMb,
    timeout: WORKER_TIMEOUT,
    reservedConcurrency: settings.workerReservedConcurrency,
    logRetentionDays: settings.logRetentionDays,
    environment: {
      STORE: `s3://${bucket.bucketName}`,
      QUEUE: queue.queueUrl,
      CDN: `cloudfront:${distributionId}`,
      ...settings.variables,
      CONCURRENCY: String(settings.workerConcurrency),
    },
  });
  grantStore(role, bucket);
  grantSweep(role, bucket);
  grantSources(role, settings.config.sourceAllow);
  // What failed among others goes back alone.
  allow(role, ['sqs:SendMessage'], [queue.queueArn]);
  allow(role, ['cloudfront:CreateInvalidation', 'cloudfront:GetInvalidation'], [distributionArn]);
  worker.addEventSource(
    new SqsEventSource(queue, {
      batchSize: settings.workerBatchSize,
      maxBatchingWindow: Duration.seconds(settings.workerBatchWindowSeconds),
      reportBatchItemFailures: true,
      // However long the queue: the rest of the account's concurrency is for viewers.
      maxConcurrency: settings.workerMaxConcurrency,
    }),
  );
  // Of the sweep alone; the queue counts for itself. One that fails has its next chance ten minutes later.
  worker.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: SWEEP_INTERVAL });
  new Rule(scope, 'SweepSchedule', {
    description: 'Sweeps what work that died left behind of units that were purged',
    schedule: Schedule.rate(SWEEP_INTERVAL),
    targets: [new LambdaTarget(worker)],
  });
  return worker;
}
