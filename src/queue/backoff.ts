import { setTimeout as delay } from 'node:timers/promises';

/** Waits, but no longer than until the signal aborts. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await delay(ms, undefined, { signal }).catch(() => undefined);
}

/** How long to wait after so many failures in a row (from 1): doubling, up to a bound. */
export function backoff(first: number, failures: number, most: number): number {
  return Math.min(first * 2 ** (failures - 1), most);
}
