import { EdgepressError } from './protocol/error.ts';
import { sourceHost } from './protocol/source-syntax.ts';
import type { MetricSource, Sample } from './telemetry/metric-source.ts';
import { createTopHosts } from './telemetry/top-hosts.ts';

/** Fetches by the host of the source. */
export interface SourceHosts {
  /** @param error - why the fetch failed */
  count(src: string, ms: number, error?: unknown): void;
  metricSources: readonly MetricSource[];
}

/** The name of the seconds among the counts of a host; all others are codes. */
const SECONDS = 'seconds';
/** The code of fetches that succeeded, as in other metrics. */
const NO_ERROR = '';

/** Returns the counts of fetches by host: those of the hosts that took most of the time lately, and of all others together. */
export function countSourceHosts(): SourceHosts {
  const hosts = createTopHosts();

  function* fetches(): Generator<Sample> {
    for (const [host, counts] of hosts.entries()) {
      for (const [code, value] of Object.entries(counts))
        if (code !== SECONDS) yield { labels: { host, code }, value };
    }
  }

  function* seconds(): Generator<Sample> {
    for (const [host, counts] of hosts.entries()) yield { labels: { host }, value: counts[SECONDS] ?? 0 };
  }

  return {
    count(src, ms, error) {
      // The places that it took are what others miss; a fetch that fails at once counts a little, too.
      const weight = ms / 1000 + 0.01;
      hosts.add(sourceHost(src), weight, { [codeOf(error)]: 1, [SECONDS]: ms / 1000 });
    },
    metricSources: [
      {
        ...{ name: 'host_fetches_total', type: 'counter', labelNames: ['host', 'code'] },
        ...{ help: 'Fetches of originals, by host and problem code', read: fetches },
      },
      {
        ...{ name: 'host_fetch_seconds_total', type: 'counter', labelNames: ['host'] },
        ...{ help: 'Time that fetches of originals took, by host', read: seconds },
      },
    ],
  };
}

function codeOf(error: unknown): string {
  if (error === undefined) return NO_ERROR;
  // Not what a source has done: nobody waited for it any more.
  return error instanceof EdgepressError ? error.code : 'abandoned';
}
