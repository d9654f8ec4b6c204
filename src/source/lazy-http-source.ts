import { assertUrlAllowed } from './allowlist.ts';
import type { HttpSource, HttpSourceOptions } from './http-source.ts';
import { parseWebSource } from './source-url.ts';

/** A source over HTTP that is loaded when it is first needed. */
export interface LazyHttpSource extends HttpSource {
  /** Loads it now. */
  load(): Promise<void>;
  /** Closes all connections. The next fetch opens new ones. */
  close(): Promise<void>;
}

/** Makes a source whose HTTP client costs nothing where everything is in the store; see `createHttpSource`. */
export function createLazyHttpSource(options: HttpSourceOptions): LazyHttpSource {
  let loading: Promise<HttpSource> | undefined;
  const load = () => {
    loading ??= import('./http-source.ts').then(({ createHttpSource }) => createHttpSource(options));
    return loading;
  };
  async function close(): Promise<void> {
    const loaded = loading;
    loading = undefined;
    await (await loaded)?.close();
  }

  return {
    assertAllowed: (src) => assertUrlAllowed(parseWebSource(src), options.allow),
    async fetch(src) {
      return await (await load()).fetch(src);
    },
    async load() {
      await load();
    },
    close,
  };
}
