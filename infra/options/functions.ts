import { wholeNumber } from '../../src/config-values.ts';
import { flag, NONE, option } from './option-values.ts';

/** Below 512 MB, decoding the largest source that is allowed would run out of memory. */
const memoryMb = wholeNumber(512, 10_240);
const ITS_VCPUS = { value: undefined, words: 'its vCPUs' };

/** Memory, time and concurrency of the image function and the worker, and the worker's queue. */
export const FUNCTION_OPTIONS = {
  imageMemoryMb: option({
    type: memoryMb,
    default: '1769',
    doc: 'Memory of the image function, which makes a variant on its first request, in MB. CPU grows with it: 1,769 MB is one vCPU.',
  }),
  imageTimeoutSeconds: option({
    // CloudFront waits for an origin 120 s at most, unless AWS raises that quota.
    type: wholeNumber(30, 115),
    default: '45',
    doc: 'Timeout of the image function, in seconds. CloudFront waits five seconds longer.',
  }),
  imageConcurrency: option({
    type: wholeNumber(1, 64),
    default: ITS_VCPUS,
    doc: '`CONCURRENCY` of the image function: the encodes that one instance does at a time.',
  }),
  imageReservedConcurrency: option({
    type: wholeNumber(1, 100_000),
    default: { value: undefined, words: "none: it shares the account's concurrency" },
    doc: 'Reserved concurrency of the image function, which is also its maximum.',
  }),

  imageCanary: option({
    type: flag,
    default: 'true',
    doc: 'Whether a new version of the image function gets a tenth of the requests for the first five minutes, and is taken back if it crashes. The deployment takes five minutes longer then.',
  }),

  workerMemoryMb: option({
    type: memoryMb,
    default: '1769',
    doc: 'Memory of the worker, in MB. It prewarms units, and sweeps every ten minutes.',
  }),
  workerConcurrency: option({
    type: wholeNumber(1, 64),
    default: ITS_VCPUS,
    doc: '`CONCURRENCY` of the worker: the encodes that one instance does at a time.',
  }),
  workerMaxConcurrency: option({
    type: wholeNumber(2, 1000),
    default: '100',
    doc: "The maximum number of worker instances that process the queue. The rest of the account's concurrency (1,000 at first) is for viewers.",
  }),
  workerReservedConcurrency: option({
    type: wholeNumber(3, 100_000),
    default: NONE,
    doc: 'Reserved concurrency of the worker: at least one more than `workerMaxConcurrency`, for the sweep.',
  }),
  workerBatchSize: option({
    type: wholeNumber(1, 10_000),
    default: '2',
    doc: 'Messages in one invocation of the worker. More than 10 need a `workerBatchWindowSeconds`. A message has up to 25 units or 50 images.',
  }),
  workerBatchWindowSeconds: option({
    type: wholeNumber(0, 300),
    default: '0',
    doc: 'How long a batch may wait to fill up, in seconds.',
  }),
  queueRetentionDays: option({
    // A dead letter keeps its age: SQS's fourteenth and last day is left for someone to look at it.
    type: wholeNumber(1, 13),
    default: '7',
    doc: 'How long a message may wait for the worker, in days. One that failed five times is then kept as a dead letter until it is 14 days old.',
  }),
};
