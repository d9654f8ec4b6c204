import type { Cdn } from './cdn.ts';

/** No cache in front of the service: there is nothing to forget. */
export function createNoCdn(): Cdn {
  return {
    invalidate: async () => [],
    wait: async () => undefined,
    close: () => undefined,
  };
}
