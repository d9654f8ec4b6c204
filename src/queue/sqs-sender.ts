import pMap from 'p-map';
import { backoffDelay, sleep } from '../backoff.ts';
import { encodeMessage, packJobs } from './message.ts';
import { encodeObjectEvent } from './object-event.ts';
import { assertJobs, type Job, type ObjectToIngest } from './queue.ts';
import { type OutgoingMessage, type SqsApi, toBatches } from './sqs-api.ts';

/** The most `SendMessageBatch` calls in flight of one send. */
const BATCH_CONCURRENCY = 8;
/** SQS may refuse some messages of a batch for a moment and take the others. */
const MAX_ATTEMPTS = 4;
const RETRY_DELAY_MS = 200;
const MAX_RETRY_DELAY_MS = 2000;

/**
 * Sends jobs to an SQS queue.
 *
 * @throws TypeError when a job is invalid; then none was sent
 * @throws Error when SQS cannot be reached or keeps refusing; then some of the jobs may be on the queue
 */
export interface SqsSender {
  /** Sends jobs packed into messages, so that thousands of units take few calls. */
  send(jobs: readonly Job[]): Promise<void>;
  /**
   * Sends each job in a message of its own.
   *
   * @param delaySeconds - how long the messages cannot be received: at most 900
   */
  sendAlone(jobs: readonly Job[], delaySeconds: number): Promise<void>;
  /** Sends objects, each in a message of its own, that are to be ingested from where they were left. */
  sendObjects(objects: readonly ObjectToIngest[]): Promise<void>;
}

export function createSqsSender(api: Pick<SqsApi, 'send'>): SqsSender {
  /** @param packed - the jobs of each message, all of one client */
  async function sendJobs(packed: readonly (readonly Job[])[], delaySeconds: number): Promise<void> {
    const messages = packed.map((jobs) => ({ body: encodeMessage(jobs), group: jobs[0]?.client }));
    await sendMessages(messages, delaySeconds);
  }

  async function sendMessages(messages: readonly OutgoingMessage[], delaySeconds: number): Promise<void> {
    await pMap(toBatches(messages), (batch) => sendBatch(api, batch, delaySeconds), {
      concurrency: BATCH_CONCURRENCY,
    });
  }

  return {
    async send(jobs) {
      assertJobs(jobs);
      await sendJobs(packJobs(jobs), 0);
    },
    async sendAlone(jobs, delaySeconds) {
      assertJobs(jobs);
      await sendJobs(
        jobs.map((job) => [job]),
        delaySeconds,
      );
    },
    async sendObjects(objects) {
      const messages = objects.map((object) => ({ body: encodeObjectEvent(object), group: undefined }));
      await sendMessages(messages, 0);
    },
  };
}

/** Sends a batch, and sends the messages that SQS refused again. */
async function sendBatch(
  api: Pick<SqsApi, 'send'>,
  batch: readonly OutgoingMessage[],
  delaySeconds: number,
): Promise<void> {
  let messages = batch;
  for (let attempt = 1; ; attempt += 1) {
    const failed = await api.send(messages, delaySeconds);
    if (failed.length === 0) return;
    if (attempt === MAX_ATTEMPTS) {
      const reasons = [...new Set(failed.map(({ reason }) => reason))].join('; ');
      throw new Error(`SQS refused ${failed.length} messages with units ${MAX_ATTEMPTS} times (${reasons})`);
    }
    messages = failed.flatMap(({ index }) => messages[index] ?? []);
    await sleep(backoffDelay(RETRY_DELAY_MS, attempt, MAX_RETRY_DELAY_MS));
  }
}
