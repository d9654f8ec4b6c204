import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import PQueue from 'p-queue';
import type { Cdn, Invalidation } from './cdn.ts';
import {
  type Busy,
  type CloudFrontClientOptions,
  createCloudFrontClient,
  createInvalidationApi,
} from './cloudfront-api.ts';

/** What a distribution works on at once, and so also the most for one invalidation; a tag counts as one path. */
const MAX_PATHS = 3000;
/** Pauses grow to 16 times the first. */
const MAX_DOUBLINGS = 4;
/** How often an invalidation finds no room before it is halved: over a minute and a half, where most are complete in 25 s. */
const REFUSALS_TO_HALVE = 6;

export interface CloudFrontCdnOptions extends CloudFrontClientOptions {
  /** The distribution's id, such as `E2EXAMPLE`. */
  distribution: string;
  /** Before an invalidation is looked at again, in milliseconds; it doubles, up to 16 times that. Default 1,000. */
  pollIntervalMs?: number;
  /** Before what CloudFront is too busy for is asked again, in milliseconds; it doubles likewise. Default 2,000. */
  refusalDelayMs?: number;
  /** From this age on, in milliseconds, an invalidation counts as complete without being looked at. Default 15 minutes. */
  assumeCompleteAfterMs?: number;
}

/**
 * Invalidates by tag in CloudFront, with as many tags a call as there may be: each costs the same, in however many calls.
 *
 * CloudFront works on 3,000 paths of a distribution at once, and refuses what is more. So this counts what it has under way
 * and waits for the oldest to be complete before it would go over; what is refused all the same, because other processes
 * invalidate too, is tried again for as long as it takes. All calls of `invalidate` share the count, and take turns.
 *
 * Whoever it signs as needs `cloudfront:CreateInvalidation` and `cloudfront:GetInvalidation`. Its errors say what to change.
 */
export function createCloudFrontCdn(options: CloudFrontCdnOptions): Cdn {
  const { pollIntervalMs = 1000, refusalDelayMs = 2000, assumeCompleteAfterMs = 15 * 60_000 } = options;
  const client = createCloudFrontClient(options);
  const closed = new AbortController();
  const calls = createInvalidationApi(client, options.distribution, closed.signal);
  /** By id, the oldest first: those that are not known to be complete. */
  const underWay = new Map<string, { paths: number; sinceMs: number }>();
  const turns = new PQueue({ concurrency: 1 });

  async function pause(firstMs: number, times: number): Promise<void> {
    // At random by a quarter, so that processes that were refused together do not come back together.
    const ms = firstMs * 2 ** Math.min(times, MAX_DOUBLINGS) * (1 + Math.random() / 4);
    await sleep(ms, undefined, { signal: closed.signal }).catch(() => closed.signal.throwIfAborted());
  }

  async function completion(id: string): Promise<void> {
    for (let looks = 0; !(await calls.isComplete(id)); looks++) await pause(pollIntervalMs, looks);
    underWay.delete(id);
  }

  async function makeRoom(paths: number): Promise<void> {
    for (const [id, { sinceMs }] of underWay) {
      const taken = [...underWay.values()].reduce((sum, other) => sum + other.paths, 0);
      if (taken + paths <= MAX_PATHS) return;
      // A server that purges a unit now and then would otherwise come to ask about thousands of them, one by one.
      if (performance.now() - sinceMs >= assumeCompleteAfterMs) underWay.delete(id);
      else await completion(id);
    }
  }

  async function attempt(paths: readonly string[], reference: string): Promise<Invalidation | Busy> {
    await makeRoom(paths.length);
    const made = await calls.create(paths, reference);
    if (typeof made === 'string') return made;
    if (!made.complete) underWay.set(made.id, { paths: paths.length, sinceMs: performance.now() });
    return { id: made.id, tags: paths.length };
  }

  async function submit(paths: readonly string[]): Promise<Invalidation[]> {
    // The same for all attempts: one that was taken on, but whose answer was lost, is neither done nor paid for twice.
    const reference = randomUUID();
    let refusals = 0;
    for (let tries = 0; refusals < REFUSALS_TO_HALVE || paths.length === 1; tries++) {
      const made = await attempt(paths, reference);
      if (typeof made !== 'string') return [made];
      if (made === 'full') refusals++;
      await pause(refusalDelayMs, tries);
    }
    // Where others always have something under way there is never room for the whole.
    const half = Math.ceil(paths.length / 2);
    return [...(await submit(paths.slice(0, half))), ...(await submit(paths.slice(half)))];
  }

  return {
    async invalidate(tags) {
      const paths = [...new Set(tags)].map(pathOf);
      const made: Invalidation[] = [];
      for (let start = 0; start < paths.length; start += MAX_PATHS) {
        made.push(...(await turns.add(() => submit(paths.slice(start, start + MAX_PATHS)))));
      }
      return made;
    },

    async wait(invalidations) {
      for (const { id } of invalidations) await completion(id);
    },

    close() {
      closed.abort(new Error('the CDN was closed before it had answered'));
      client.destroy();
    },
  };
}

/** One tag that CloudFront would not take would have it refuse the 2,999 with it. */
function pathOf(tag: string): string {
  const isTag = /^[\x21-\x7e]{1,256}$/.test(tag) && !tag.includes(',');
  if (!isTag) throw new TypeError(`not a cache tag: ${JSON.stringify(tag)}`);
  return `#${tag}`;
}
