import { type Figure, showNumber } from './figure.ts';
import { LIMITS, SHARDS } from './limits.ts';
import type { Load, Workers } from './load.ts';
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
  verdict: string;
}

interface QuotaOptions {
  limit: number;
  otherwise: string;
}

/** Of all limits that this work can meet, which are in its way. */
export function planQuotas(parts: {
  load: Load;
  workers: Workers;
  queue: Queue;
  store: Store;
  views: Views;
  purges: Purges;
}): readonly Quota[] {
  const { workers, queue, store, views, purges } = parts;
  const { maxConcurrency, executions } = workers;
  const pollers = queue.provisionedPollers.value;
  return [
    quota('Lambda: concurrent executions (L-B99A9384)', executions, {
      limit: LIMITS.concurrentExecutions,
      otherwise: `raise it to ${showNumber(raised(executions.value))} or more`,
    }),
    quota('Lambda: concurrency of an event source', maxConcurrency, {
      limit: LIMITS.eventSourceConcurrency,
      otherwise:
        pollers <= LIMITS.provisionedPollers
          ? `provision ${showNumber(pollers)} pollers, which are paid by the hour and not in the costs below; or give a worker more memory`
          : `${showNumber(pollers)} pollers are more than the ${showNumber(LIMITS.provisionedPollers)} of one event source: spread the units over several queues`,
    }),
    quota('SQS: messages in flight', queue.messagesInFlight, {
      limit: LIMITS.messagesInFlight,
      otherwise: 'raise it, or spread the units over several queues',
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

function quota(name: string, needed: Figure, { limit, otherwise }: QuotaOptions): Quota {
  const isEnough = needed.value <= limit;
  return { name, needed, limit, isEnough, verdict: isEnough ? 'enough' : otherwise };
}

/** S3 splits a prefix by itself, but not at once. */
function partitions(name: string, rate: Figure, needed: Figure, limit: number): Quota {
  const many = showNumber(needed.value);
  const otherwise =
    needed.value <= SHARDS
      ? `S3 makes ${many} partitions of the ${SHARDS} prefixes by itself, in 30 to 60 minutes: begin slowly`
      : `more than the ${SHARDS} prefixes can take: spread the units over several buckets`;
  return quota(name, rate, { limit, otherwise });
}

/** With a fifth to spare, in hundreds. */
function raised(value: number): number {
  return Math.ceil((value * 1.2) / 100) * 100;
}
