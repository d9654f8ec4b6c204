// Kept apart from http-source.ts on purpose: this file does not load undici until the first fetch, so that a hit is answered without it.
import { hostAndPort } from './address-guard.ts';
import { assertUrlAllowed } from './allowlist.ts';
import type { HostBreakers } from './host-breakers.ts';
import type { HttpSource, HttpSourceOptions } from './http-source.ts';
import { parseWebSource } from './source-url.ts';

/** An HTTP source whose client is loaded on first use. */
export interface LazyHttpSource extends HttpSource {
  /** Loads the client now. */
  load(): Promise<void>;
  /** Closes all connections; the next fetch opens new ones. */
  close(): Promise<void>;
}

/** Creates an HTTP source that loads its client on first use; see `createHttpSource`. */
export function createLazyHttpSource(options: HttpSourceOptions & { hosts: HostBreakers }): LazyHttpSource {
  let loading: Promise<HttpSource> | undefined;
  const load = () => {
    loading ??= import('./http-source.ts').then(({ createHttpSource }) => createHttpSource(options));
    return loading;
  };

  return {
    assertAllowed: (src) => assertUrlAllowed(parseWebSource(src), options.allow),
    assertReachable: (src) => options.hosts.assertReachable(hostAndPort(parseWebSource(src))),
    async fetch(...request) {
      return await (await load()).fetch(...request);
    },
    async load() {
      await load();
    },
    async close() {
      const loaded = loading;
      loading = undefined;
      await (await loaded)?.close();
    },
  };
}
