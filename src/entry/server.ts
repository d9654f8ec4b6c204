import { type Logger, pino } from 'pino';
import { type Config, ConfigError, readConfig } from '../config.ts';
import { isUnconfigured, startDemonstration } from '../demo/demonstration.ts';
import { type RunningServer, startServer } from '../http/start-server.ts';

/** Log lines are written in batches of about this many bytes, or when this much time has passed: a write each costs as much as a hit. */
const LOG_BATCH = { minLength: 4096, periodicFlush: 100 };

/** The service on one machine: `npm start`. */
async function main(): Promise<void> {
  const config = readConfigOrExit();
  const destination = pino.destination({ sync: false, ...LOG_BATCH });
  process.on('exit', () => destination.flushSync());
  const log = pino({ level: config.logLevel }, destination);
  const start = isUnconfigured(config) ? startDemonstration : startServer;
  const server = await start(config, log);
  log.info({ url: server.url, store: config.store }, 'listening');
  endOnSignal(server, log);
}

function endOnSignal(server: RunningServer, log: Logger): void {
  let told = false;
  const end = async (signal: NodeJS.Signals) => {
    if (told) process.exit(1);
    told = true;
    log.info({ signal }, 'finishing what is under way; once more to end at once');
    await server.close();
    process.exit(0);
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
}

function readConfigOrExit(): Config {
  try {
    return readConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write('edgepress cannot start: the environment is wrong.\n\n');
    for (const fault of error.faults) process.stderr.write(`  ${fault}\n`);
    process.exit(1);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`edgepress cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
