import cluster from 'node:cluster';
import { type Logger, pino } from 'pino';
import { startPrimary } from '../cluster/primary.ts';
import { isWorker, joinCluster } from '../cluster/worker.ts';
import { type Config, ConfigError, isUnconfigured, openTo, readConfig } from '../config.ts';
import { DEMO_STORE, startDemo } from '../demo/demo.ts';
import { listen } from '../http/listen.ts';
import { type RunningServer, startServer } from '../http/service.ts';
import { logOptions } from '../telemetry/log-options.ts';
import { collectLessOften } from './collect-less-often.ts';
import { createLogOutput, type LogOutput } from './log-output.ts';

/** Ten thousand lines or so: what a reader may be behind. */
const LOG_BUFFER_BYTES = 2 ** 22;
/** Log lines are written in batches: a write for each costs as much as a hit. */
const LOG_BATCH = { minBytes: 49_152, maxBytes: 65_536, flushMs: 100, bufferBytes: LOG_BUFFER_BYTES };
/** How long the exit waits for a slow reader of the log. */
const MAX_LOG_FLUSH_MS = 1000;

/** Starts the service on one machine, in one process or several: `npm start`. */
async function main(): Promise<void> {
  collectLessOften();
  const config = readConfig();
  if (isUnconfigured()) return await serve({ ...config, store: DEMO_STORE }, startDemo);
  if (config.workers === 1) return await serve(config, startServer);
  if (isWorker()) await serveAsWorker(config);
  else await startWorkers(config);
}

async function serve(config: Config, start: typeof startServer): Promise<void> {
  const { log, output } = createLog(config);
  const server = await start(config, log, output);
  logListening(log, server.url, config);
  closeOnSignal(server, log, output);
}

/** @param more - fields of the line */
function logListening(log: Logger, url: string, config: Config, more: Record<string, unknown> = {}): void {
  log.info({ url, store: config.store, ...more }, 'listening');
  const open = openTo(config);
  if (open.length > 0) log.warn(`open: ${open.join('; ')}`);
}

async function serveAsWorker(config: Config): Promise<void> {
  const { log, output } = createLog(config, { worker: cluster.worker?.id });
  const membership = joinCluster();
  const server = await startServer(config, log, output, membership);
  closeOnSignal(server, log, output);
  membership.announceListening(server.url);
}

async function startWorkers(config: Config): Promise<void> {
  const { workers } = config;
  const { log, output } = createLog(config);
  const onListening = (url: string) => logListening(log, url, config, { workers });
  const port = config.port === 0 ? await findFreePort(config.host) : config.port;
  const primary = startPrimary({ workers, port, log, onListening, forwardLog: output.forward });
  closeOnSignal(primary, log, output);
  void primary.failed.then(async (status) => {
    await primary.close();
    await output.flush(MAX_LOG_FLUSH_MS);
    process.exit(status);
  });
}

/** @throws ConfigError if the host is not an address of this machine */
async function findFreePort(host: string): Promise<number> {
  const { port, close } = await listen({ fetch: () => new Response() }, { host, port: 0 });
  await close(0);
  return port;
}

/** @param bindings - fields of each line */
function createLog({ logLevel }: Config, bindings: Record<string, unknown> = {}) {
  const output = createLogOutput(LOG_BATCH);
  const log = pino(logOptions(logLevel), output).child(bindings);
  output.onRecovered(({ count, reason }) =>
    log.error({ dropped: count, reason }, 'log lines were lost: the log could not be written'),
  );
  process.on('exit', output.flushSync);
  // Nobody may read it, and Node or a library may write a warning to it.
  process.stderr.on('error', () => {});
  return { log, output };
}

/**
 * npm passes a signal on that the terminal has already sent to every process: one Ctrl-C arrives twice, a few milliseconds apart. Within
 * this time, a second signal is the same Ctrl-C.
 */
const REPEATED_SIGNAL_MS = 500;

/** Closes the server, or all workers, on the first SIGINT or SIGTERM, and exits immediately on the second. */
function closeOnSignal(server: Pick<RunningServer, 'close'>, log: Logger, output: LogOutput): void {
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
    await output.flush(MAX_LOG_FLUSH_MS);
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
