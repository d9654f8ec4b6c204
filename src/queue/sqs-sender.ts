import pMap from 'p-map';
import { backoffDelay, sleep } from '../backoff.ts';
import { packMessages, writeMessage } from './message.ts';
import { assertJobs, type Job } from './queue.ts';
import { createSqsApi, type SqsApi, type SqsQueueLocation, toBatches } from './sqs-api.ts';

const BATCHES_AT_ONCE = 8;
/** SQS may refuse some messages of a batch for a moment and take the others. */
const MAX_ATTEMPTS = 4;
const REFUSED_DELAY_MS = 200;
const MAX_REFUSED_DELAY_MS = 2000;

/** Puts jobs on a queue. Both throw when SQS cannot be reached or keeps refusing: then some of the jobs may be on it. */
export interface SqsSender {
  /** Packed, so that thousands of units take few calls. */
  send(jobs: readonly Job[]): Promise<void>;
  /**
   * Each in a message of its own, which nobody gets before this many seconds are over.
   *
   * @param delaySeconds - at most 900
   */
  sendAlone(jobs: readonly Job[], delaySeconds: number): Promise<void>;
}

export function createSqsSender(location: SqsQueueLocation): SqsSender {
  const calls = createSqsApi(location);
  async function sendBodies(bodies: readonly string[], delaySeconds: number): Promise<void> {
    const sendOne = (batch: string[]) => sendBatch(calls, batch, delaySeconds);
    await pMap(toBatches(bodies), sendOne, { concurrency: BATCHES_AT_ONCE });
  }

  return {
    async send(jobs) {
      assertJobs(jobs);
      await sendBodies(packMessages(jobs), 0);
    },
    async sendAlone(jobs, delaySeconds) {
      assertJobs(jobs);
      await sendBodies(
        jobs.map((job) => writeMessage([job])),
        delaySeconds,
      );
    },
  };
}

/** Sends what was refused again. */
async function sendBatch(calls: SqsApi, bodies: readonly string[], delaySeconds: number): Promise<void> {
  let left = bodies;
  for (let attempt = 1; ; attempt += 1) {
    const refused = await calls.send(left, delaySeconds);
    if (refused.length === 0) return;
    if (attempt === MAX_ATTEMPTS) {
      const why = [...new Set(refused.map((refusal) => refusal.why))].join('; ');
      throw new Error(`SQS refused ${refused.length} messages with units ${MAX_ATTEMPTS} times (${why})`);
    }
    left = refused.flatMap(({ index }) => left[index] ?? []);
    await sleep(backoffDelay(REFUSED_DELAY_MS, attempt, MAX_REFUSED_DELAY_MS));
  }
}
