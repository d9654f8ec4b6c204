import { SHARDS } from '../../src/protocol/keys.ts';
import { formatDuration } from '../cli/text.ts';
import { type Figure, formatNumber } from './figure.ts';
import type { Load, Workers } from './load.ts';
import { LIMITS } from './prices-and-limits.ts';
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
  workers: Workers;
  beyondOneStack: string | undefined;
  queue: Queue;
  store: Store;
  views: Views;
  purges: Purges;
}

/** Compares the load with every AWS limit that it can reach. */
export function compareQuotas(parts: QuotaParts): readonly Quota[] {
  const { workers, beyondOneStack = '', queue, store, views, purges } = parts;
  const { concurrency, executions } = workers;
  const raise = (needed: Figure) => `raise it to ${formatNumber(quotaToRequest(needed.value))} or more`;
  const { viewsPerSecond, gigabitsPerSecond } = views;
  return [
    quota(
      'Lambda: concurrent executions (L-B99A9384)',
      executions,
      LIMITS.concurrentExecutions,
      raise(executions),
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
  load: Load;
  workers: Workers;
  queue: Queue;
  beyondOneStack: string | undefined;
}): string[] {
  const { load, workers, queue, beyondOneStack } = plan;
  const warnings: string[] = [];
  const needed = load.imagesPerSecond.value;
  const capacity = workers.capacityPerSecond.value;
  if (capacity <= needed)
    warnings.push(
      `${formatNumber(workers.maxConcurrency.value)} workers make ${formatNumber(capacity)} images a second, and ` +
        `${formatNumber(needed)} arrive: the queue only grows. ${capacityAdvice(workers, beyondOneStack)}.`,
    );
  const batchSeconds = queue.batchSeconds.value;
  if (batchSeconds > LIMITS.functionSeconds)
    warnings.push(
      `A batch takes ${formatDuration(batchSeconds)}, and Lambda stops a function after ` +
        `${formatDuration(LIMITS.functionSeconds)}: give it fewer messages (--batch), or more memory (--memory).`,
    );
  return warnings;
}

function capacityAdvice({ busyVcpus, vcpus }: Workers, beyondOneStack: string | undefined): string {
  if (beyondOneStack !== undefined) return `It is ${beyondOneStack}`;
  const fewest = Math.floor(busyVcpus.value / vcpus.value) + 1;
  return `It needs a --concurrency of ${formatNumber(fewest)} or more`;
}
