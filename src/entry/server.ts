import { type Logger, pino } from 'pino';
import { ConfigError, readConfig } from '../config.ts';
import { hasNoConfiguration, startDemo } from '../demo/demo.ts';
import { type RunningServer, startServer } from '../http/service.ts';

/** Log lines are written in batches of this many bytes, or after this many milliseconds: a write for each costs as much as a hit. */
const LOG_BATCH = { minLength: 16_384, maxWrite: 65_536, periodicFlush: 100 };

/** Starts the service on one machine: `npm start`. */
async function main(): Promise<void> {
  const config = readConfig();
  const destination = pino.destination({ sync: false, ...LOG_BATCH });
  process.on('exit', () => destination.flushSync());
  const log = pino({ level: config.logLevel }, destination);
  const start = hasNoConfiguration(config) ? startDemo : startServer;
  const server = await start(config, log);
  log.info({ url: server.url, store: config.store }, 'listening');
  closeOnSignal(server, log);
}

/**
 * npm passes a signal on that the terminal has already sent to every process: one Ctrl-C arrives twice, a few milliseconds apart. Within
 * this time, a second signal is the same Ctrl-C.
 */
const REPEATED_SIGNAL_MS = 500;

/** Closes the server on the first SIGINT or SIGTERM, and exits immediately on the second. */
function closeOnSignal(server: RunningServer, log: Logger): void {
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
