import type { SQSClient } from '@aws-sdk/client-sqs';
import type { SqsBatchResponse, SqsEvent } from '../../../src/queue/lambda-messages.ts';
import { createSqsApi } from '../../../src/queue/sqs-api.ts';
import type { Lambda } from './lambda.ts';

/**
 * Receives messages as Lambda's pollers do, and hands them to a function, until the queue has none. Like these, it deletes what the function has not
 * named as failed.
 *
 * @param receipts - how often each message is said to have been received
 */
export async function invokeByQueue(
  lambda: Lambda,
  queue: { url: string; client: SQSClient },
  receipts = 1,
): Promise<SqsBatchResponse> {
  const api = createSqsApi(queue);
  const failed: SqsBatchResponse = { batchItemFailures: [] };
  for (;;) {
    const messages = await api.receive(10, 0, AbortSignal.timeout(10_000));
    if (messages.length === 0) return failed;
    const event: SqsEvent = {
      Records: messages.map(({ MessageId = '', ReceiptHandle = '', Body = '' }) => ({
        messageId: MessageId,
        receiptHandle: ReceiptHandle,
        body: Body,
        attributes: { ApproximateReceiveCount: String(receipts) },
      })),
    };
    const { batchItemFailures } = await lambda.invoke<SqsBatchResponse>(event);
    failed.batchItemFailures.push(...batchItemFailures);
    const isDone = ({ MessageId = '' }) =>
      !batchItemFailures.some(({ itemIdentifier }) => itemIdentifier === MessageId);
    const done = messages.filter(isDone).map(({ ReceiptHandle = '' }) => ReceiptHandle);
    if (done.length > 0) await api.delete(done);
  }
}
