import type { Workers } from './load.ts';
import { LIMITS } from './prices-and-limits.ts';
import type { Time } from './queue.ts';

/**
 * Returns how long this many images take in a new bucket, if no more arrive, in seconds. The bucket has one partition, which bounds its writes
 * until S3 has split it in two.
 */
export function newBucketSeconds(
  images: number,
  { newBucketRate, missed, allReady }: Time,
  { capacityPerSecond }: Workers,
): number {
  const capacity = capacityPerSecond.value;
  const rate = Math.min(newBucketRate.value, capacity);
  const share = rate / capacity;
  // Until there are workers enough for what the bucket takes, half of them are missing on average.
  const missedAtRate = missed.value * share ** 2;
  const seconds = (images + missedAtRate) / rate;
  const splitAt = LIMITS.secondsToSplit + allReady.value * share;
  if (rate === capacity || seconds <= splitAt) return seconds;
  const madeBefore = rate * splitAt - missedAtRate;
  return splitAt + (images - madeBefore) / Math.min(2 * newBucketRate.value, capacity);
}
