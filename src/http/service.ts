import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { createMetrics } from '../metrics.ts';
import { createServices, type Overrides, type Services } from '../services.ts';
import { logImage } from '../unit/outcome.ts';
import type { Units } from '../unit/units.ts';
import { createUnitServices, type UnitServices } from '../unit-services.ts';
import { type AppOptions, createApp } from './app.ts';
import type { App } from './app-environment.ts';
import { listen } from './listen.ts';

/** The whole service of one machine, ready to be listened to. */
export interface Service {
  app: App;
  services: Services;
  unitServices: UnitServices;
  /** Takes up what waits on the queue, and cleans up after what died. */
  begin(): void;
  /** Refuses what comes and finishes what is under way; what waits on the queue stays there. */
  finish(): Promise<void>;
  /** Lets go of all connections. */
  close(): Promise<void>;
}

/** How often what died between its put and its look at a purge is looked for. */
const SWEEP_INTERVAL_MS = 10 * 60 * 1000;

export async function createService(
  config: Config,
  log: Logger,
  extras: Pick<AppOptions, 'frontPage'> = {},
  overrides: Overrides = {},
): Promise<Service> {
  const services = await createServices(config, log, {
    onWork: (work) => metrics?.recordWork(work),
    ...overrides,
  });
  const { getVariant, storeFaults } = services;
  const unitServices = await createUnitServices(config, log, services);
  const { units, queue } = unitServices;
  const token = config.adminToken;
  // Nobody can ask for them without a token, and each request would pay for them.
  const metrics =
    token === undefined ? undefined : createMetrics({ queueDepth: () => queue.depth(), storeFaults });
  let closing = false;
  let sweeping: NodeJS.Timeout | undefined;
  const app = createApp({
    getVariant,
    log,
    health: () => ({ storeFaults: storeFaults() }),
    isClosing: () => closing,
    ...(metrics && { observeRequest: metrics.recordRequest }),
    unitRoutes: token && metrics ? { token, units, queue, defaults: config, metrics } : undefined,
    ...extras,
  });
  return {
    app,
    services,
    unitServices,
    begin() {
      unitServices.startWorker((outcome) => {
        metrics?.recordImage(outcome);
        logImage(log, outcome);
      });
      sweeping = sweepFromTimeToTime(units, log);
    },
    async finish() {
      closing = true;
      clearInterval(sweeping);
      await Promise.all([services.drain(), unitServices.drain()]);
    },
    close: () => services.close(),
  };
}

function sweepFromTimeToTime(units: Pick<Units, 'sweep'>, log: Logger): NodeJS.Timeout {
  const sweep = () =>
    units.sweep().catch((fault: unknown) => log.warn({ err: fault }, 'purged units could not be swept'));
  void sweep();
  return setInterval(sweep, SWEEP_INTERVAL_MS).unref();
}

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
