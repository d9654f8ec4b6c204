import { randomUUID } from 'node:crypto';
import PQueue from 'p-queue';
import { backoffDelay, sleep, withJitter } from '../backoff.ts';
import type { Cdn, Invalidation } from './cdn.ts';
import {
  type Busy,
  type CloudFrontClientOptions,
  createCloudFrontClient,
  createInvalidationApi,
} from './cloudfront-api.ts';

/** CloudFront's limit on the paths in progress for a distribution, and so on those of one invalidation; a tag counts as one path. */
const MAX_PATHS = 3000;
/** Delays grow to 16 times the first. */
const MAX_BACKOFF_FACTOR = 16;
/** How often an invalidation is refused before it is halved: over a minute and a half, in which most others complete (25 s). */
const REFUSALS_BEFORE_HALVING = 6;

export interface CloudFrontCdnOptions extends CloudFrontClientOptions {
  /** The distribution's id, such as `E2EXAMPLE`. */
  distribution: string;
  /** The delay before the state of an invalidation is requested again, in milliseconds; doubles up to 16 times that. Default 1,000. */
  pollIntervalMs?: number;
  /** The delay before a request is repeated that CloudFront was too busy for, in milliseconds; doubles likewise. Default 2,000. */
  refusalDelayMs?: number;
  /** The age, in milliseconds, at which an invalidation is assumed to be complete without a request. Default 15 minutes. */
  assumeCompleteAfterMs?: number;
}

/**
 * Invalidates by tag in CloudFront, with as many tags per call as allowed: a tag costs the same in any number of calls.
 *
 * CloudFront works on 3,000 paths of a distribution at a time and refuses more. So this counts the paths that it has in progress, and
 * waits for the oldest invalidation to complete before it exceeds the limit. A call that is refused anyway, because other processes
 * invalidate too, is retried for as long as it takes. All calls of `invalidate` share the count, and are sent one after another.
 *
 * The client's identity needs `cloudfront:CreateInvalidation` and `cloudfront:GetInvalidation`. Errors say what to change.
 */
export function createCloudFrontCdn(options: CloudFrontCdnOptions): Cdn {
  const { pollIntervalMs = 1000, refusalDelayMs = 2000, assumeCompleteAfterMs = 15 * 60_000 } = options;
  const client = createCloudFrontClient(options);
  const closed = new AbortController();
  const api = createInvalidationApi(client, options.distribution, closed.signal);
  const queue = new PQueue({ concurrency: 1 });

  /** @param failures - in a row so far, from 1 */
  async function backOff(firstMs: number, failures: number, signal = closed.signal): Promise<void> {
    await sleep(withJitter(backoffDelay(firstMs, failures, MAX_BACKOFF_FACTOR * firstMs)), signal);
    signal.throwIfAborted();
  }

  async function waitUntilComplete(
    id: string,
    isEnough: (state: string) => boolean,
    signal?: AbortSignal,
  ): Promise<void> {
    for (let polls = 1; ; polls++) {
      const state = await api.read(id);
      const isBusy = typeof state === 'string';
      if ((!isBusy && state.complete) || isEnough(isBusy ? 'unknown: too many calls' : state.status)) break;
      await backOff(pollIntervalMs, polls, signal);
    }
    inProgress.delete(id);
  }

  const inProgress = createPathsInProgress(assumeCompleteAfterMs, waitUntilComplete);

  async function tryCreate(paths: readonly string[], callerReference: string): Promise<Invalidation | Busy> {
    await inProgress.makeRoom(paths.length);
    const created = await api.create(paths, callerReference);
    if (typeof created === 'string') return created;
    if (!created.complete) inProgress.add(created.id, paths.length);
    return { id: created.id, tags: paths.length };
  }

  async function create(paths: readonly string[]): Promise<Invalidation[]> {
    // The same for all attempts: when only the answer to one was lost, the next is neither done nor paid for twice.
    const callerReference = randomUUID();
    let refusals = 0;
    for (let attempts = 1; refusals < REFUSALS_BEFORE_HALVING || paths.length === 1; attempts++) {
      const created = await tryCreate(paths, callerReference);
      if (typeof created !== 'string') return [created];
      if (created === 'full') refusals++;
      await backOff(refusalDelayMs, attempts);
    }
    // While others always have something in progress there may never be room for the whole.
    const half = Math.ceil(paths.length / 2);
    return [...(await create(paths.slice(0, half))), ...(await create(paths.slice(half)))];
  }

  return {
    async invalidate(tags) {
      const paths = [...new Set(tags)].map(pathOf);
      const invalidations: Invalidation[] = [];
      for (let start = 0; start < paths.length; start += MAX_PATHS) {
        invalidations.push(...(await queue.add(() => create(paths.slice(start, start + MAX_PATHS)))));
      }
      return invalidations;
    },

    async wait(invalidations, { signal, onProgress = () => {} } = {}) {
      const either = signal ? AbortSignal.any([signal, closed.signal]) : closed.signal;
      for (const [complete, { id }] of invalidations.entries()) {
        either.throwIfAborted();
        const report = (state: string) => {
          onProgress({ complete, id, state });
          return false;
        };
        await waitUntilComplete(id, report, either);
      }
    },

    close() {
      closed.abort(new Error('the CDN was closed before it had answered'));
      client.destroy();
    },
  };
}

/** Counts the paths of the invalidations that are not known to be complete. */
function createPathsInProgress(
  assumeCompleteAfterMs: number,
  waitUntilComplete: (id: string, isEnough: () => boolean) => Promise<void>,
) {
  /** By id, the oldest first. */
  const invalidations = new Map<string, { paths: number; sinceMs: number }>();
  return {
    add(id: string, paths: number): void {
      invalidations.set(id, { paths, sinceMs: performance.now() });
    },
    delete(id: string): void {
      invalidations.delete(id);
    },
    /** Waits for the oldest invalidations to complete until there is room for so many paths. */
    async makeRoom(paths: number): Promise<void> {
      for (const [id, { sinceMs }] of invalidations) {
        const total = [...invalidations.values()].reduce((sum, other) => sum + other.paths, 0);
        if (total + paths <= MAX_PATHS) return;
        // Otherwise a server that purges a unit now and then would at some point poll thousands of them, one by one, and one whose state is
        // none that we know would be polled for ever.
        const isOld = () => performance.now() - sinceMs >= assumeCompleteAfterMs;
        if (isOld()) invalidations.delete(id);
        else await waitUntilComplete(id, isOld);
      }
    },
  };
}

/** Checked here, because CloudFront refuses a call of 3,000 tags for a single invalid one. */
function pathOf(tag: string): string {
  const isTag = /^[\x21-\x7e]{1,256}$/.test(tag) && !tag.includes(',');
  if (!isTag) throw new TypeError(`not a cache tag: ${JSON.stringify(tag)}`);
  return `#${tag}`;
}
