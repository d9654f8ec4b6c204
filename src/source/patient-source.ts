import { setTimeout as wait } from 'node:timers/promises';
import { EdgepressError } from '../error.ts';
import { sourceHost } from '../variant/src-parameter.ts';
import { createHostPace, type HostPace } from './host-pace.ts';
import type { SourceFetcher } from './source.ts';

export interface PatientSourceOptions {
  /** Ends all waiting: fetches that wait then fail with its reason. */
  signal: AbortSignal;
  /** Fetches at once from one host. */
  atOnceForHost: number;
  /** Before the second attempt, in milliseconds; it doubles for each that follows. Default 1,000. */
  retryDelayMs?: number;
  /** Default 3, the first included. */
  attempts?: number;
}

/** What a host may ask us to wait, in milliseconds. Beyond that its images are better left to another run. */
const MOST_PATIENCE_MS = 30_000;

/**
 * Wraps a fetcher for work that nobody waits for and that comes in thousands: kind to the clients' servers. Few fetches at once
 * for a host, fewer when it says 429 or 503, none until its `Retry-After` is over; what may pass by itself is tried again.
 */
export function createPatientSource(source: SourceFetcher, options: PatientSourceOptions): SourceFetcher {
  const { signal, atOnceForHost, retryDelayMs = 1000, attempts = 3 } = options;
  const pace = createHostPace({ atOnce: atOnceForHost, mostPauseMs: MOST_PATIENCE_MS, signal });

  async function attempt(src: string, host: HostPace, number: number) {
    try {
      return await host.run(() => source.fetch(src));
    } catch (error) {
      const isLast = number === attempts || !mayPass(error);
      if (isLast) throw error;
      return undefined;
    }
  }

  return {
    admit: (src) => source.admit(src),
    async fetch(src) {
      return await pace.of(sourceHost(src), async (host) => {
        for (let number = 1; ; number++) {
          const bytes = await attempt(src, host, number);
          if (bytes) return bytes;
          // At random by a quarter, so that those that failed together do not come back together.
          await wait(retryDelayMs * 2 ** (number - 1) * (1 + Math.random() / 4), undefined, { signal });
        }
      });
    },
  };
}

function mayPass(error: unknown): boolean {
  if (!(error instanceof EdgepressError) || !error.retryable) return false;
  return (error.retryAfterSeconds ?? 0) * 1000 <= MOST_PATIENCE_MS;
}
