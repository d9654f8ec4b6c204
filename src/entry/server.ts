import { type Logger, pino } from 'pino';
import { ConfigError, readConfig } from '../config.ts';
import { hasNoConfiguration, startDemo } from '../demo/demo.ts';
import { type RunningServer, startServer } from '../http/service.ts';

/** Log lines are written in batches of about this many bytes, or when this much time has passed: a write each costs as much as a hit. */
const LOG_BATCH = { minLength: 4096, periodicFlush: 100 };

/** The service on one machine: `npm start`. */
async function main(): Promise<void> {
  const config = readConfig();
  const destination = pino.destination({ sync: false, ...LOG_BATCH });
  process.on('exit', () => destination.flushSync());
  const log = pino({ level: config.logLevel }, destination);
  const start = hasNoConfiguration(config) ? startDemo : startServer;
  const server = await start(config, log);
  log.info({ url: server.url, store: config.store }, 'listening');
  endOnSignal(server, log);
}

/** npm passes on the signal that a terminal has sent to all of its programs: we get each Ctrl-C twice, a few milliseconds apart. */
const ECHO_MS = 500;

function endOnSignal(server: RunningServer, log: Logger): void {
  let toldMs: number | undefined;
  const end = async (signal: NodeJS.Signals) => {
    const nowMs = performance.now();
    if (toldMs !== undefined) {
      if (nowMs - toldMs > ECHO_MS) process.exit(1);
      return;
    }
    toldMs = nowMs;
    log.info({ signal }, 'finishing what is under way; once more to end at once');
    await server.close();
    process.exit(0);
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
}

/** Says every fault of the environment at once, each by the name of its variable. */
function explain(error: unknown): string {
  if (!(error instanceof ConfigError)) return `${error instanceof Error ? error.message : error}\n`;
  return ['the environment is wrong.', '', ...error.faults.map((fault) => `  ${fault}`), ''].join('\n');
}

main().catch((error: unknown) => {
  process.stderr.write(`edgepress cannot start: ${explain(error)}`);
  process.exit(1);
});
