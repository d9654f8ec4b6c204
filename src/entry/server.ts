import { pino } from 'pino';
import { type Config, ConfigError, readConfig } from '../config.ts';
import { isUnconfigured, startDemonstration } from '../demo/demonstration.ts';
import { startServer } from '../http/start-server.ts';

/** The service on one machine: `npm start`. */
async function main(): Promise<void> {
  const config = readConfigOrExit();
  const log = pino({ level: config.logLevel });
  const start = isUnconfigured(config) ? startDemonstration : startServer;
  const server = await start(config, log);
  log.info({ url: server.url, store: config.store }, 'listening');
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      log.info({ signal }, 'finishing what is under way; once more to end at once');
      process.once(signal, () => process.exit(1));
      server.close().then(() => process.exit(0));
    });
  }
}

function readConfigOrExit(): Config {
  try {
    return readConfig();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`edgepress cannot start: the environment is wrong.\n\n`);
    for (const fault of error.faults) process.stderr.write(`  ${fault}\n`);
    process.exit(1);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`edgepress cannot start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
