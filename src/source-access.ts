import type { Logger } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import { createS3SourceIfAllowed, createSourceHeadersReader, type LazyS3Client } from './adapters.ts';
import { logCircuit } from './circuit-metrics.ts';
import { baseUrlOf, type Config } from './config.ts';
import { createHostBreakers, type HostBreakers } from './source/host-breakers.ts';
import { createLazyHttpSource } from './source/lazy-http-source.ts';
import { createSourceFetcher, type SourceFetcher } from './source/source.ts';
import { countSourceHosts, type SourceHosts } from './source-hosts.ts';
import type { MetricSource } from './telemetry/metric-source.ts';
import type { OnWork } from './variant/trace.ts';

/** The servers and buckets of the originals. */
export interface SourceAccess {
  source: SourceFetcher;
  /** The circuit breakers of the hosts. */
  circuits: HostBreakers;
  /** Counts of fetches by host. */
  metricSources: readonly MetricSource[];
  /** Loads the HTTP client, which is otherwise loaded when it is first needed. */
  load(): Promise<unknown>;
  /** Closes the connections. The sources stay usable. */
  close(): Promise<void>;
}

export interface SourceAccessOptions {
  log: Logger;
  /** Called with each fetch that succeeded. */
  onWork: OnWork;
  /** Called when a fetch starts. */
  onStart: () => void;
}

/**
 * Creates what fetches originals of any scheme that the configuration allows, with circuit breakers, counts and logs of their hosts.
 *
 * @param s3 - the client for sources in S3
 */
export async function createSourceAccess(
  config: Config,
  s3: LazyS3Client,
  { log, onWork, onStart }: SourceAccessOptions,
): Promise<SourceAccess> {
  const circuits = createHostBreakers({ onChange: logCircuit(log, 'source') });
  const hosts = countSourceHosts();
  const http = createLazyHttpSource({
    allow: config.sourceAllow,
    allowPrivate: config.sourceAllowPrivate,
    maxBytes: config.sourceMaxBytes,
    timeoutMs: config.sourceTimeoutMs,
    sourceHeaders: createSourceHeadersReader(config.sourceHeaders),
    userAgent: config.sourceUserAgent ?? `edgepress/${packageJson.version} (+${baseUrlOf(config)})`,
    hosts: circuits,
  });
  const objects = await createS3SourceIfAllowed(config, s3, circuits);
  const source = createSourceFetcher(objects ? { http, s3: objects } : { http });
  return {
    source: observeFetches(source, { onWork, onFetched: hosts.count, onStart }),
    circuits,
    metricSources: hosts.metricSources,
    load: () => http.load(),
    close: () => http.close(),
  };
}

interface FetchCallbacks extends Pick<SourceAccessOptions, 'onWork' | 'onStart'> {
  onFetched: SourceHosts['count'];
}

/** Reports fetches to `onWork` and `onFetched`, and calls `onStart` when one starts. */
function observeFetches(
  source: SourceFetcher,
  { onWork, onFetched, onStart }: FetchCallbacks,
): SourceFetcher {
  return {
    assertAllowed: (src) => source.assertAllowed(src),
    assertReachable: (src) => source.assertReachable(src),
    async fetch(src, ...options) {
      const start = performance.now();
      const ms = () => performance.now() - start;
      const fetching = source.fetch(src, ...options);
      onStart();
      try {
        const bytes = await fetching;
        onWork({ kind: 'fetch', ms: ms(), bytes: bytes.byteLength });
        onFetched(src, ms());
        return bytes;
      } catch (error) {
        onFetched(src, ms(), error);
        throw error;
      }
    },
  };
}
