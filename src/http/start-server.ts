import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import type { AppOptions } from './app.ts';
import type { App } from './app-environment.ts';
import { listen } from './listen.ts';
import { createService, type Service } from './service.ts';

/** The whole service on one machine, answering. */
export interface RunningServer {
  /** Where it listens. */
  url: string;
  port: number;
  /** Finishes what is under way, refuses what comes, and ends. */
  close(): Promise<void>;
}

/** How long what is under way may take once the server is told to end: more than a fetch and an encode need. */
const GRACE_MS = 30_000;

/** Starts the service as the configuration says. */
export async function startServer(
  config: Config,
  log: Logger,
  extras: Pick<AppOptions, 'frontPage'> = {},
): Promise<RunningServer> {
  let serve: (service: Service) => void = () => {};
  const started = new Promise<Service>((resolve) => {
    serve = resolve;
  });
  let answer: App['fetch'] = async (...request) => (await started).app.fetch(...request);
  // It listens first: without `PUBLIC_URL`, the URLs that the service hands out name the port, and `PORT=0` is any that is free.
  const listener = await listen(
    { fetch: (...request) => answer(...request) },
    { host: config.host, port: config.port, log },
  );
  const service = await createService({ ...config, port: listener.port }, log, extras).catch(
    async (error: unknown) => {
      await listener.close(0);
      throw error;
    },
  );
  serve(service);
  answer = service.app.fetch;
  service.begin();
  return {
    url: listener.url,
    port: listener.port,
    async close() {
      // Both at once: what is under way is what those who still wait are waiting for.
      const finished = service.finish();
      await Promise.all([finished, listener.close(GRACE_MS)]);
      await service.close();
    },
  };
}
