import PQueue from 'p-queue';
import { type ProcessMessageOptions, processMessage, RETRY_DELAY_SECONDS } from './process-message.ts';
import { createSqsApi, type SqsQueueLocation } from './sqs-api.ts';
import { createSqsSender } from './sqs-sender.ts';

/** What is used of the event with which Lambda hands over messages that it has received. */
export interface SqsEvent {
  Records: readonly {
    messageId: string;
    receiptHandle: string;
    body: string;
    attributes?: { ApproximateReceiveCount?: string };
  }[];
}

/** Which messages Lambda must not delete (`ReportBatchItemFailures`). */
export interface SqsBatchResponse {
  batchItemFailures: { itemIdentifier: string }[];
}

/** Works on messages that others receive and delete. */
export interface LambdaMessages {
  /**
   * Does the jobs of all these messages. Once the signal aborts, no more are begun, and what is left comes again at once. Never
   * throws.
   *
   * @returns the messages that are to come again
   */
  work(
    event: SqsEvent,
    how: Pick<ProcessMessageOptions, 'handle' | 'signal' | 'report'>,
  ): Promise<SqsBatchResponse>;
}

/** Jobs at once, of all messages together: they share the places for fetches and encodes. */
const JOBS_AT_ONCE = 64;

/** Works on messages of this queue, to which what fails goes back. */
export function createLambdaMessages(location: SqsQueueLocation): LambdaMessages {
  const calls = createSqsApi(location);
  const sender = createSqsSender(location);

  /** Else it would come again only when no function could have it in hand any more: after an hour and a half. */
  async function hide(receiptHandle: string, seconds: number): Promise<void> {
    const [refused] = await calls.hide([receiptHandle], seconds);
    if (refused) throw new Error(`SQS will give a message again only later (${refused.why})`);
  }

  return {
    async work({ Records }, how) {
      const places = new PQueue({ concurrency: JOBS_AT_ONCE });
      const context = { ...how, places, sender, retryDelaySeconds: RETRY_DELAY_SECONDS };

      const workOn = async (record: SqsEvent['Records'][number]) => {
        const { body, receiptHandle, messageId, attributes } = record;
        const receipts = Number(attributes?.ApproximateReceiveCount ?? 1);
        const againAfterSeconds = await processMessage({ body, receipts }, context);
        if (againAfterSeconds === undefined) return [];
        await hide(receiptHandle, againAfterSeconds).catch(how.report);
        return [{ itemIdentifier: messageId }];
      };

      return { batchItemFailures: (await Promise.all(Records.map(workOn))).flat() };
    },
  };
}
