import { type Figure, showNumber } from './figure.ts';
import { LIMITS, SHARDS } from './limits.ts';
import type { Workers } from './load.ts';
import type { Purges } from './purges.ts';
import type { Queue } from './queue.ts';
import type { Store } from './store.ts';
import type { Views } from './views.ts';

/** What this load needs of something that AWS limits. */
export interface Quota {
  name: string;
  needed: Figure;
  limit: number;
  isEnough: boolean;
  /** `enough`, or what to do. */
  cachedFailure: string;
  /** Whether AWS raises it by itself, as the load grows. */
  growsByItself: boolean;
}

interface QuotaOptions {
  limit: number;
  otherwise: string;
  growsByItself?: boolean;
}

/** Of all limits that this work can meet, which are in its way. */
export function planQuotas(parts: {
  workers: Workers;
  beyondOneStack: string | undefined;
  queue: Queue;
  store: Store;
  views: Views;
  purges: Purges;
}): readonly Quota[] {
  const { workers, beyondOneStack, queue, store, views, purges } = parts;
  const { concurrency, executions } = workers;
  return [
    quota('Lambda: concurrent executions (L-B99A9384)', executions, {
      limit: LIMITS.concurrentExecutions,
      otherwise: `raise it to ${showNumber(raised(executions.value))} or more`,
    }),
    quota('Lambda: concurrency of an event source', concurrency, {
      limit: LIMITS.eventSourceConcurrency,
      otherwise: beyondOneStack ?? '',
    }),
    quota('SQS: messages in flight', queue.messagesInFlight, {
      limit: LIMITS.messagesInFlight,
      otherwise: 'raise it',
    }),
    partitions(
      'S3: writes a second',
      store.writesPerSecond,
      store.partitionsForWrites,
      LIMITS.writesPerSecond,
    ),
    partitions('S3: reads a second', store.readsPerSecond, store.partitionsForReads, LIMITS.readsPerSecond),
    quota('CloudFront: requests a second', views.viewsPerSecond, {
      limit: LIMITS.viewsPerSecond,
      otherwise: `raise it to ${showNumber(raised(views.viewsPerSecond.value))} or more`,
    }),
    quota('CloudFront: Gbit/s', views.gigabitsPerSecond, {
      limit: LIMITS.gigabitsPerSecond,
      otherwise: `raise it to ${showNumber(raised(views.gigabitsPerSecond.value))} or more`,
    }),
    quota('CloudFront: tags being invalidated', purges.tagsInFlight, {
      limit: LIMITS.tagsInFlight,
      otherwise: 'cannot be raised: purges wait for one another, and for longer and longer',
    }),
  ];
}

function quota(
  name: string,
  needed: Figure,
  { limit, otherwise, growsByItself = false }: QuotaOptions,
): Quota {
  const isEnough = needed.value <= limit;
  return { name, needed, limit, isEnough, cachedFailure: isEnough ? 'enough' : otherwise, growsByItself };
}

/** S3 splits a prefix by itself, but not at once. */
function partitions(name: string, rate: Figure, needed: Figure, limit: number): Quota {
  const growsByItself = needed.value <= SHARDS;
  const otherwise = growsByItself
    ? `S3 makes ${showNumber(needed.value)} partitions of the ${SHARDS} prefixes by itself, in 30 to 60 minutes: begin slowly`
    : `more than the ${SHARDS} prefixes can take: spread the units over several stacks`;
  return quota(name, rate, { limit, otherwise, growsByItself });
}

/** The quota to ask for, where so much is needed: with a fifth to spare, in hundreds. */
export function raised(value: number): number {
  return Math.ceil((value * 1.2) / 100) * 100;
}
