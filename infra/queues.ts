import { Duration } from 'aws-cdk-lib';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { Settings } from './settings.ts';

/** The most that Lambda gives. */
export const WORKER_TIMEOUT = Duration.minutes(15);
/** The most that SQS keeps a message. */
const DEAD_LETTER_DAYS = 14;
/** At least 5, as AWS asks for with Lambda: while it is throttled, messages come and go without having been looked at. */
const MAX_RECEIVES = 5;
/** As AWS asks for with Lambda: its own retries have to be over before a message comes again. */
const VISIBILITY_FACTOR = 6;

export interface Queues {
  /** Units to prewarm. */
  readonly queue: Queue;
  /** What failed too often. */
  readonly deadLetters: Queue;
}

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
