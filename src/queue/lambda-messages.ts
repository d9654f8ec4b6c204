import PQueue from 'p-queue';
import { type ProcessMessageOptions, processMessage, RETRY_DELAY_SECONDS } from './process-message.ts';
import { createMaxReceives, createSqsApi, type SqsQueueLocation } from './sqs-api.ts';
import { createSqsSender } from './sqs-sender.ts';

/** The part of Lambda's event for SQS that is used: messages that Lambda has received and will delete. */
export interface SqsEvent {
  Records: readonly SqsRecord[];
}

interface SqsRecord {
  messageId: string;
  receiptHandle: string;
  body: string;
  attributes?: { ApproximateReceiveCount?: string };
}

/** The messages that Lambda must not delete (`ReportBatchItemFailures`). */
export interface SqsBatchResponse {
  batchItemFailures: { itemIdentifier: string }[];
}

/** Processes messages that Lambda receives and deletes. */
export interface LambdaMessages {
  /**
   * Does the jobs of all messages of an event. Once the signal aborts, no more jobs are started, and messages that are left can be
   * received again immediately. Never throws: errors go to `onError`.
   *
   * @returns the messages that are to be received again
   */
  process(
    event: SqsEvent,
    options: Pick<
      ProcessMessageOptions,
      'handle' | 'signal' | 'onError' | 'onGiveUp' | 'onLastAttempt' | 'ingestObject'
    >,
  ): Promise<SqsBatchResponse>;
}

/** The most jobs in flight, of all messages together. How many images are fetched and encoded is bounded by the unit services. */
const JOB_CONCURRENCY = 64;

/** @param location - the queue that the messages come from, to which jobs that fail are sent again */
export function createLambdaMessages(location: SqsQueueLocation): LambdaMessages {
  const api = createSqsApi(location);
  const sender = createSqsSender(api);
  const maxReceives = createMaxReceives(api);

  /** Without this, the message would be received again only after the visibility timeout of the queue: an hour and a half. */
  async function release(receiptHandle: string, seconds: number): Promise<void> {
    const [failed] = await api.changeVisibility([receiptHandle], seconds);
    if (failed) throw new Error(`SQS did not release a message early (${failed.reason})`);
  }

  return {
    async process({ Records }, options) {
      const pool = new PQueue({ concurrency: JOB_CONCURRENCY });

      const processRecord = async ({ body, receiptHandle, messageId, attributes }: SqsRecord) => {
        const receipts = Number(attributes?.ApproximateReceiveCount ?? 1);
        const receiveAgainSeconds = await processMessage(
          { body, receipts },
          { ...options, pool, sender, maxReceives, retryDelaySeconds: RETRY_DELAY_SECONDS },
        );
        if (receiveAgainSeconds === undefined) return [];
        await release(receiptHandle, receiveAgainSeconds).catch(options.onError);
        return [{ itemIdentifier: messageId }];
      };

      return { batchItemFailures: (await Promise.all(Records.map(processRecord))).flat() };
    },
  };
}
