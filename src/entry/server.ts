import cluster from 'node:cluster';
import { type Logger, pino } from 'pino';
import { startPrimary } from '../cluster/primary.ts';
import { isWorker, joinCluster } from '../cluster/worker.ts';
import { type Config, ConfigError, readConfig } from '../config.ts';
import { hasNoConfiguration, startDemo } from '../demo/demo.ts';
import { listen } from '../http/listen.ts';
import { type RunningServer, startServer } from '../http/service.ts';

/** Log lines are written in batches of this many bytes, or after this many milliseconds: a write for each costs as much as a hit. */
const LOG_BATCH = { minLength: 16_384, maxWrite: 65_536, periodicFlush: 100 };
/** Lines of several processes stay whole in a pipe if each write is no longer than 4,096 bytes (`PIPE_BUF`). */
const SHARED_LOG_BATCH = { minLength: 2048, maxWrite: 4096, periodicFlush: 100 };

/** Starts the service on one machine, in one process or several: `npm start`. */
async function main(): Promise<void> {
  const config = readConfig();
  const isDemo = hasNoConfiguration(config);
  if (config.workers === 1 || isDemo) return await serve(config, isDemo ? startDemo : startServer);
  if (isWorker()) await serveAsWorker(config);
  else await startWorkers(config);
}

async function serve(config: Config, start: typeof startServer): Promise<void> {
  const log = createLog(config, LOG_BATCH);
  const server = await start(config, log);
  log.info({ url: server.url, store: config.store }, 'listening');
  closeOnSignal(server, log);
}

async function serveAsWorker(config: Config): Promise<void> {
  const log = createLog(config, SHARED_LOG_BATCH).child({ worker: cluster.worker?.id });
  const membership = joinCluster();
  const server = await startServer(config, log, {}, membership);
  closeOnSignal(server, log);
  membership.announceListening(server.url);
}

async function startWorkers(config: Config): Promise<void> {
  const { workers, store } = config;
  const log = createLog(config, SHARED_LOG_BATCH);
  const onListening = (url: string) => log.info({ url, store, workers }, 'listening');
  const port = config.port === 0 ? await findFreePort(config.host) : config.port;
  const primary = startPrimary({ workers, port, log, onListening });
  closeOnSignal(primary, log);
  void primary.failed.then(async (status) => {
    await primary.close();
    process.exit(status);
  });
}

/** @throws ConfigError if the host is not an address of this machine */
async function findFreePort(host: string): Promise<number> {
  const { port, close } = await listen({ fetch: () => new Response() }, { host, port: 0 });
  await close(0);
  return port;
}

function createLog({ logLevel }: Config, batch: typeof LOG_BATCH): Logger {
  const destination = pino.destination({ sync: false, ...batch });
  process.on('exit', () => destination.flushSync());
  return pino({ level: logLevel }, destination);
}

/**
 * npm passes a signal on that the terminal has already sent to every process: one Ctrl-C arrives twice, a few milliseconds apart. Within
 * this time, a second signal is the same Ctrl-C.
 */
const REPEATED_SIGNAL_MS = 500;

/** Closes the server, or all workers, on the first SIGINT or SIGTERM, and exits immediately on the second. */
function closeOnSignal(server: Pick<RunningServer, 'close'>, log: Logger): void {
  let firstSignalMs: number | undefined;
  const onSignal = async (signal: NodeJS.Signals) => {
    const nowMs = performance.now();
    if (firstSignalMs !== undefined) {
      if (nowMs - firstSignalMs > REPEATED_SIGNAL_MS) process.exit(1);
      return;
    }
    firstSignalMs = nowMs;
    log.info({ signal }, 'finishing the work in flight; a second signal exits immediately');
    await server.close();
    process.exit(0);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
}

/** Explains why the server cannot start; for a wrong environment, with every fault on its own line. */
function explain(error: unknown): string {
  if (!(error instanceof ConfigError)) return `${error instanceof Error ? error.message : error}\n`;
  return ['the environment is wrong.', '', ...error.faults.map((fault) => `  ${fault}`), ''].join('\n');
}

main().catch((error: unknown) => {
  process.stderr.write(`edgepress cannot start: ${explain(error)}`);
  process.exit(1);
});
