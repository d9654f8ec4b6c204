import type { SmokeClient, VariantParts } from './client.ts';
import type { request, TimedResponse } from './request.ts';

/** Requests one variant again and again, and keeps what the steps of a smoke test have seen of it. */
export interface Probe {
  /** Ends waits early. */
  signal: AbortSignal;
  readonly seen: SmokeClient['seen'];
  get(init?: Parameters<typeof request>[1]): Promise<TimedResponse>;
  /** Requests it without its signature. */
  getUnsigned(): Promise<TimedResponse>;
  /** The response to the first request, and when it came, by `performance.now()`. */
  miss?: TimedResponse & { atMs: number };
  /** The response from the store. */
  stored?: TimedResponse;
}

export function createProbe(client: SmokeClient, parts: VariantParts, signal: AbortSignal): Probe {
  return {
    signal,
    seen: client.seen,
    get: (init = {}) => client.request(parts, init),
    getUnsigned: () => client.requestUnsigned(parts),
  };
}
