import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { createServices } from '../services.ts';
import { type AppOptions, createApp } from './app.ts';
import { listen } from './listen.ts';

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
  const services = await createServices(config, log);
  let closing = false;
  const app = createApp({
    getVariant: services.getVariant,
    log,
    health: () => ({ storeFaults: services.storeFaults() }),
    isClosing: () => closing,
    ...extras,
  });
  const listener = await listen(app, { host: config.host, port: config.port, log });
  return {
    url: listener.url,
    port: listener.port,
    async close() {
      closing = true;
      await Promise.all([services.finish(), listener.close(GRACE_MS)]);
      await services.close();
    },
  };
}
