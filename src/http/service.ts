import type { Logger } from 'pino';
import packageJson from '../../package.json' with { type: 'json' };
import { cacheTagHeaders } from '../cdn/cache-tag-headers.ts';
import type { Membership } from '../cluster/worker.ts';
import { baseUrlOf, type Config } from '../config.ts';
import { createCountLog, logEachMinute } from '../count-log.ts';
import { createMetrics, type Metrics, type MetricsSources } from '../metrics.ts';
import type { Sample } from '../pages/playground.tsx';
import type { UnitQueue } from '../queue/queue.ts';
import { createServices, type Overrides, type Services } from '../services.ts';
import { embedImageMetrics } from '../telemetry/emf.ts';
import { loadOpenTelemetry } from '../telemetry/load-opentelemetry.ts';
import type { OpenTelemetry } from '../telemetry/opentelemetry.ts';
import { createTracing } from '../tracing.ts';
import { logImage } from '../unit/outcome.ts';
import type { Units } from '../unit/units.ts';
import { createUnitServices, type UnitServices } from '../unit-services.ts';
import { createApp } from './app.ts';
import type { App } from './http-request.ts';
import { createImageHandler, type ImageHandler } from './image-handler.ts';
import { listen } from './listen.ts';
import { addOpenApiRoute } from './openapi/openapi-route.ts';
import type { UnitPageRoutesOptions } from './pages/unit-page-routes.tsx';
import { assertUsable, createReadiness, tellUnusable } from './readiness.ts';

/** The whole service on one machine, without a port. */
export interface Service {
  app: App;
  /** Answers images for the app, where requests come from Node's HTTP server. */
  handleImage: ImageHandler;
  services: Services;
  unitServices: UnitServices;
  /** Starts to process the queue, and to sweep after purges. */
  start(): void;
  /** Refuses new work and resolves when the work in flight is done. Jobs that wait stay on the queue. */
  drain(): Promise<void>;
  /** Closes all connections to the store, the CDN and sources. */
  close(): Promise<void>;
}

/** What the program that runs the service adds to it. */
export interface ServiceExtras {
  /** Returns the number of log lines so far that were lost, because the log could not be written. */
  droppedLines?: () => number;
  /** Images that the playground offers. */
  samples?: readonly Sample[];
}

/** How often to sweep what a writer left that died between its put and its check of the tombstone. */
const SWEEP_INTERVAL_MS = 10 * 60 * 1000;

/**
 * Creates the service that a configuration describes.
 *
 * @throws ConfigError if the store cannot be used
 */
export async function createService(
  config: Config,
  log: Logger,
  extras: ServiceExtras = {},
  overrides: Overrides = {},
  membership?: Membership,
): Promise<Service> {
  const telemetry = await loadOpenTelemetry(config, packageJson.version);
  const tracing = createTracing({
    tracer: telemetry?.tracer,
    onStep: (name, seconds) => metrics?.recordStep(name, seconds),
  });
  const services = await createServices(config, log, {
    onWork: (event) => metrics?.recordWork(event),
    tracing,
    ...(membership && { locks: membership.locks, shareQueue: (queue) => shareQueue(queue, membership) }),
    ...overrides,
  });
  const { getVariant, storeFaults } = services;
  const unitServices = await createUnitServices(config, log, services);
  const { units, queue } = unitServices;
  const token = config.adminToken;
  const { droppedLines = () => 0 } = extras;
  const metrics = openMetrics(config, telemetry, membership, {
    queueDepth: () => queue.depth(),
    storeFaults,
    droppedLines,
    sources: services.metricSources,
  });
  const parts = { store: () => assertUsable(services.shared.store), queue: () => queue.depth() };
  const regularWork = createRegularWork(config, log, services, units);
  const embedMetrics = config.emfNamespace === undefined ? undefined : embedImageMetrics(config.emfNamespace);
  const draining = new AbortController();
  const imageOptions = {
    getVariant,
    cacheControl: config.cacheControl,
    tagHeaders: cacheTagHeaders(config.cdn),
    log,
    isDraining: () => draining.signal.aborted,
    onRequest: metrics?.recordRequest,
    tracing,
  };
  const app = createApp({
    ...imageOptions,
    health: () => ({ storeFaults: storeFaults() }),
    readiness: createReadiness({
      parts,
      onFailure: (part, error) => log.warn({ part, err: error }, 'not ready'),
    }),
    unitRoutes:
      token && metrics
        ? {
            token,
            units,
            queue,
            defaults: config,
            metrics: { ...metrics, ...(membership && { text: membership.metricsText }) },
          }
        : undefined,
    addOpenApi: (api) => addOpenApiRoute(api, config),
    addPages: await loadPages(config, services, extras.samples ?? [], {
      ...{ units, queue, log, defaults: config, hasCdn: config.cdn.length > 0 },
      draining: draining.signal,
    }),
  });
  return {
    app,
    handleImage: createImageHandler(imageOptions),
    services,
    unitServices,
    start() {
      void tellUnusable(parts, log);
      unitServices.startWorker((outcome) => {
        metrics?.recordImage(outcome);
        logImage(log, outcome, embedMetrics);
      });
      regularWork.start();
    },
    async drain() {
      draining.abort();
      await regularWork.stop(Promise.all([services.drain(), unitServices.drain()]));
    },
    async close() {
      await services.close();
      await telemetry?.close();
    },
  };
}

/** Returns the metrics, for those who may read them; `undefined` if nobody does, since counting costs time in each request. */
function openMetrics(
  { adminToken, otelMetricsExporter, otelMetricIntervalMs }: Config,
  telemetry: OpenTelemetry | undefined,
  membership: Membership | undefined,
  sources: MetricsSources,
): Metrics | undefined {
  const isExported = telemetry !== undefined && otelMetricsExporter === 'otlp';
  if (adminToken === undefined && !isExported) return undefined;
  const metrics = createMetrics(sources);
  membership?.exposeMetrics(metrics.registry);
  if (isExported) telemetry.exportMetrics(metrics.registry, otelMetricIntervalMs);
  return metrics;
}

/** Returns what runs beside requests and the queue: sweeps after purges, counts as log lines, and keeping the store within its limits. */
function createRegularWork(config: Config, log: Logger, services: Services, units: Pick<Units, 'sweep'>) {
  const stopped = new AbortController();
  let sweepTimer: NodeJS.Timeout | undefined;
  let stopCounting = () => {};
  let upkeep: Promise<void> | undefined;
  return {
    start(): void {
      sweepTimer = sweepRegularly(units, log);
      stopCounting = logEachMinute(createCountLog(config, log, services));
      upkeep = services.shared.store.upkeep?.run(stopped.signal, (error) =>
        log.warn({ err: error }, 'a part of the store could not be kept within its limits'),
      );
    },
    /** @param drained - resolves when nothing more is to be counted */
    async stop(drained: Promise<unknown>): Promise<void> {
      clearInterval(sweepTimer);
      stopped.abort();
      await Promise.all([upkeep, drained]);
      stopCounting();
    },
  };
}

/** Returns what adds the pages for people to the app. Their code and style are not loaded without them. */
async function loadPages(
  config: Config,
  { getVariant, fetchOriginal, shared: { nowMs } }: Services,
  samples: readonly Sample[],
  unitPages: Omit<UnitPageRoutesOptions, 'nowMs'>,
): Promise<((app: App) => void) | undefined> {
  if (!config.pages) return undefined;
  const { addPageRoutes } = await import('./pages/page-routes.tsx');
  const { adminToken: token, publicUrl, signingKeys, ladder } = config;
  const playground = { getVariant, fetchOriginal, ladder, signingKeys, baseUrl: baseUrlOf(config), samples };
  const options = {
    token,
    publicUrl,
    isSigned: signingKeys.length > 0,
    nowMs,
    playground,
    units: { ...unitPages, nowMs },
  };
  return (app) => addPageRoutes(app, options);
}

/** Returns a queue whose jobs another worker may work on. */
function shareQueue(queue: UnitQueue, membership: Membership): UnitQueue {
  membership.onJobs(() => queue.wake?.());
  return {
    ...queue,
    async send(jobs) {
      await queue.send(jobs);
      membership.announceJobs();
    },
  };
}

function sweepRegularly(units: Pick<Units, 'sweep'>, log: Logger): NodeJS.Timeout {
  const sweep = () =>
    units.sweep().catch((error: unknown) => log.warn({ err: error }, 'purged units could not be swept'));
  void sweep();
  return setInterval(sweep, SWEEP_INTERVAL_MS).unref();
}

/** The whole service on one machine, listening. */
export interface RunningServer {
  /** The address, such as `http://127.0.0.1:3000`. */
  url: string;
  port: number;
  /** Drains the service, then closes it. */
  close(): Promise<void>;
}

/** How long requests in flight may take once the server closes: more than a fetch and an encode need. */
const GRACE_MS = 30_000;

/**
 * Starts the service that a configuration describes.
 *
 * @param membership - of a worker in a cluster: one of the workers works on the queue
 * @throws ConfigError if it cannot listen, or the store cannot be used
 */
export async function startServer(
  config: Config,
  log: Logger,
  extras: ServiceExtras = {},
  membership?: Membership,
): Promise<RunningServer> {
  // It listens before there is a service: without `PUBLIC_URL`, the URLs in responses contain the port, and with `PORT=0` that is known
  // only then. Requests that come earlier wait.
  let onService: (service: Service) => void = () => {};
  const created = new Promise<Service>((resolve) => {
    onService = resolve;
  });
  let fetch: App['fetch'] = async (...request) => (await created).app.fetch(...request);
  let handleImage: ImageHandler = () => false;
  const listener = await listen(
    { fetch: (...request) => fetch(...request) },
    { host: config.host, port: config.port, log, handleImage: (...request) => handleImage(...request) },
  );
  const service = await createService({ ...config, port: listener.port }, log, extras, {}, membership).catch(
    async (error: unknown) => {
      await listener.close(0);
      throw error;
    },
  );
  await service.services.startEncoder();
  onService(service);
  fetch = service.app.fetch;
  handleImage = service.handleImage;
  if (membership) membership.onConsume(service.start);
  else service.start();
  return {
    url: listener.url,
    port: listener.port,
    async close() {
      // Together: requests in flight wait for the work in flight.
      await Promise.all([service.drain(), listener.close(GRACE_MS)]);
      await service.close();
    },
  };
}
