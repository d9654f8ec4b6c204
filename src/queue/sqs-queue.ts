import { RETRY_DELAY_SECONDS } from './process-message.ts';
import type { UnitQueue } from './queue.ts';
import { createSqsApi, type SqsQueueLocation } from './sqs-api.ts';
import { consumeSqs } from './sqs-consumer.ts';
import { createSqsSender } from './sqs-sender.ts';

/** As long as SQS allows: fewer calls, and messages come as soon as they are there. */
const WAIT_SECONDS = 20;

export interface SqsQueueOptions extends SqsQueueLocation {
  /** How long one call waits for messages. */
  waitSeconds?: number;
  /** How long a job that has failed waits: whole seconds, twice as many each time that it fails alone, up to 15 minutes. */
  retryDelaySeconds?: number;
}

/**
 * A queue of SQS, of the standard kind. What follows from its own settings: how long a message is hidden from others when it was
 * received (a consumer hides it for longer while it works on it), and after how many receipts it becomes a dead letter. That
 * should be five or more, since a message is also received when whoever has it stops or dies.
 */
export function createSqsQueue({
  waitSeconds = WAIT_SECONDS,
  retryDelaySeconds = RETRY_DELAY_SECONDS,
  ...location
}: SqsQueueOptions): UnitQueue {
  const calls = createSqsApi(location);
  const sender = createSqsSender(location);
  return {
    send: sender.send,

    async consume(handle, options) {
      await consumeSqs({ ...options, handle, calls, sender, waitSeconds, retryDelaySeconds });
    },

    /** In messages. */
    async depth() {
      const counts = await calls.attributes([
        'ApproximateNumberOfMessages',
        'ApproximateNumberOfMessagesNotVisible',
        'ApproximateNumberOfMessagesDelayed',
      ]);
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    },
  };
}
