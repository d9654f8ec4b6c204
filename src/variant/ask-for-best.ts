import { LRUCache } from 'lru-cache';
import type { Job } from '../queue/queue.ts';
import type { VariantName } from './key.ts';

/** Asks for the best form of a variant that was made quickly. Never throws, and does not wait. */
export type AskForBest = (name: VariantName, key: string) => void;

/** Of so many it is remembered that they were asked for; those asked longest ago are forgotten first. */
const MAX_REMEMBERED = 10_000;

/**
 * Makes what asks for each variant once, however many are served.
 *
 * @param send - puts a job on the queue, and fails when it is not there
 */
export function createAskForBest(send: (job: Job) => Promise<void>): AskForBest {
  const asked = new LRUCache<string, true>({ max: MAX_REMEMBERED });
  return ({ unit, src, width, tier, format }, key) => {
    if (asked.has(key)) return;
    asked.set(key, true);
    const upgrade = { src, width, tier, format };
    // What could not be sent is asked for again when it is served again.
    send({ unit, images: 1, retry: false, upgrade }).catch(() => asked.delete(key));
  };
}
