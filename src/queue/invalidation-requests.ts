import type { UnitQueue } from './queue.ts';

/** Asks for a unit to be forgotten by the CDN, some time soon. */
export type RequestInvalidation = (unit: string) => Promise<void>;

/**
 * Leaves it to whoever works on the queue to have the CDN forget a unit: where the CDN is not known, or may be busy for longer than
 * there is time. What is on the queue is not lost with the process.
 */
export function createInvalidationRequests(queue: Pick<UnitQueue, 'send'>): RequestInvalidation {
  return (unit) => queue.send([{ unit, images: 0, retry: false, invalidate: true }]);
}
