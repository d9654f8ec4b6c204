import { SHARDS } from '../../src/protocol/keys.ts';
import { formatDuration } from '../cli/text.ts';
import { type Figure, formatNumber } from './figure.ts';
import type { PlanInputs } from './inputs.ts';
import { LIMITS } from './limits.ts';
import { type Load, type Workers, workersThatFit } from './load.ts';
import type { Queue } from './queue.ts';
import type { Purges, Store } from './requests.ts';
import type { Views } from './views.ts';

/** What the load needs of something that AWS limits. */
export interface Quota {
  name: string;
  needed: Figure;
  limit: number;
  isEnough: boolean;
  /** `enough`, or what to do. */
  verdict: string;
  /** Whether AWS raises the limit by itself as the load grows. */
  growsByItself: boolean;
}

interface QuotaParts {
  inputs: Pick<PlanInputs, 'executionsLimit'>;
  workers: Workers;
  beyondOneStack: string | undefined;
  queue: Queue;
  store: Store;
  views: Views;
  purges: Purges;
}

/** Compares the load with every AWS limit that it can reach. */
export function compareQuotas(parts: QuotaParts): readonly Quota[] {
  const { inputs, workers, beyondOneStack = '', queue, store, views, purges } = parts;
  const { executionsLimit } = inputs;
  const { concurrency, executions } = workers;
  const raise = (needed: Figure) => `raise it to ${formatNumber(quotaToRequest(needed.value))} or more`;
  const { viewsPerSecond, gigabitsPerSecond } = views;
  return [
    quota(
      'Lambda: concurrent executions (L-B99A9384)',
      executions,
      executionsLimit,
      executionsLimit < LIMITS.concurrentExecutions
        ? `ask for ${formatNumber(Math.max(LIMITS.concurrentExecutions, quotaToRequest(executions.value)))}; until it is granted, "workerMaxConcurrency": ${workersThatFit(executionsLimit)}`
        : raise(executions),
    ),
    quota(
      'Lambda: concurrency of an event source',
      concurrency,
      LIMITS.eventSourceConcurrency,
      beyondOneStack,
    ),
    quota('SQS: messages in flight', queue.messagesInFlight, LIMITS.messagesInFlight, 'raise it'),
    partitionQuota(
      'S3: writes a second',
      store.writesPerSecond,
      store.partitionsForWrites,
      LIMITS.writesPerSecond,
    ),
    partitionQuota(
      'S3: reads a second',
      store.readsPerSecond,
      store.partitionsForReads,
      LIMITS.readsPerSecond,
    ),
    quota('CloudFront: requests a second', viewsPerSecond, LIMITS.viewsPerSecond, raise(viewsPerSecond)),
    quota('CloudFront: Gbit/s', gigabitsPerSecond, LIMITS.gigabitsPerSecond, raise(gigabitsPerSecond)),
    quota(
      'CloudFront: tags being invalidated',
      purges.tagsInFlight,
      LIMITS.tagsInFlight,
      'cannot be raised: purges queue up, and wait longer and longer',
    ),
  ];
}

/** @param advice - what to do when the limit is not enough */
function quota(name: string, needed: Figure, limit: number, advice: string, growsByItself = false): Quota {
  const isEnough = needed.value <= limit;
  return { name, needed, limit, isEnough, verdict: isEnough ? 'enough' : advice, growsByItself };
}

/** S3 splits a busy prefix into partitions by itself, in 30 to 60 minutes. */
function partitionQuota(name: string, rate: Figure, partitions: Figure, limit: number): Quota {
  const growsByItself = partitions.value <= SHARDS;
  const advice = growsByItself
    ? `S3 makes ${formatNumber(partitions.value)} partitions of the ${SHARDS} prefixes by itself, in 30 to 60 minutes: start slowly`
    : `more than the ${SHARDS} prefixes can take: spread the units over several stacks`;
  return quota(name, rate, limit, advice, growsByItself);
}

/** The quota to request for this need: a fifth more, rounded up to hundreds. */
export function quotaToRequest(needed: number): number {
  return Math.ceil((needed * 1.2) / 100) * 100;
}

/**
 * What will not work with these options, a sentence or two each: workers that cannot keep up, and a batch that takes longer than
 * Lambda lets a function run.
 */
export function loadWarnings(plan: {
  inputs: Pick<PlanInputs, 'executionsLimit'>;
  load: Load;
  workers: Workers;
  queue: Queue;
  beyondOneStack: string | undefined;
}): string[] {
  const { inputs, load, workers, queue, beyondOneStack } = plan;
  const warnings: string[] = [];
  const needed = load.imagesPerSecond.value;
  const capacity = workers.capacityPerSecond.value;
  if (capacity <= needed)
    warnings.push(
      `${workers.maxContainers ? `${formatNumber(workers.maxContainers.value)} containers and ` : ''}${formatNumber(workers.maxConcurrency.value)} workers make ${formatNumber(capacity)} images a second, and ` +
        `${formatNumber(needed)} arrive: the queue only grows. ${capacityAdvice(workers, beyondOneStack, inputs.executionsLimit)}.`,
    );
  const batchSeconds = queue.batchSeconds.value;
  if (batchSeconds > LIMITS.functionSeconds)
    warnings.push(
      `A batch takes ${formatDuration(batchSeconds)}, and Lambda stops a function after ` +
        `${formatDuration(LIMITS.functionSeconds)}: give it fewer messages (--batch), or more memory (--memory).`,
    );
  return warnings;
}

function capacityAdvice(
  { busy, containers }: Workers,
  beyondOneStack: string | undefined,
  executionsLimit: number,
): string {
  if (beyondOneStack !== undefined) return `It is ${beyondOneStack}`;
  if (containers) return `It needs ${formatNumber(containers.value)} containers or more ("fargateMaxTasks")`;
  const fewest = Math.floor(busy.value) + 1;
  if (fewest > workersThatFit(executionsLimit) && executionsLimit < LIMITS.concurrentExecutions)
    return `It needs ${formatNumber(fewest)} workers or more, and an account with more than ${formatNumber(executionsLimit)} concurrent executions: deploy:check says how to ask for them`;
  return `It needs a --concurrency of ${formatNumber(fewest)} or more`;
}
