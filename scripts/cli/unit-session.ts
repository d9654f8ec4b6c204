import { pino } from 'pino';
import { type Config, ConfigError, readConfig } from '../../src/config.ts';
import { createServices } from '../../src/services.ts';
import { createUnitServices, type UnitServices, type UnitServicesOptions } from '../../src/unit-services.ts';
import { CommandFailure } from './command.ts';

/**
 * Reads the configuration from the environment, as the server does.
 *
 * @throws CommandFailure naming every variable that is wrong
 */
export function readEnvironment(): Config {
  try {
    return readConfig();
  } catch (error) {
    throw asCommandFailure(error);
  }
}

/** The services with which a command works on units. */
export interface UnitSession
  extends Pick<UnitServices, 'units' | 'queue' | 'cdn' | 'processJob' | 'notifications'> {
  /** Starts no more work, and resolves when the work in flight is done. */
  drain(): Promise<void>;
  /** Closes all connections. */
  close(): Promise<void>;
}

/**
 * Creates the services on units as the server does.
 *
 * @param onMessage - called with each line that the server would log, as text: by default warnings and errors only
 * @throws CommandFailure when the environment is wrong
 */
export async function openUnitSession(
  config: Config,
  onMessage: (text: string) => void,
  options: UnitServicesOptions = {},
): Promise<UnitSession> {
  const log = pino({ level: levelFor(config) }, { write: (line: string) => onMessage(toMessage(line)) });
  try {
    const services = await createServices(config, log);
    const { units, queue, cdn, processJob, notifications, drain } = await createUnitServices(
      config,
      log,
      services,
      options,
    );
    return { units, queue, cdn, processJob, notifications, drain, close: () => services.close() };
  } catch (error) {
    throw asCommandFailure(error);
  }
}

function asCommandFailure(error: unknown): unknown {
  if (!(error instanceof ConfigError)) return error;
  return new CommandFailure(`The environment is invalid:\n${error.message}`);
}

/** The default level of a server, `info`, would hide the output of the command between log lines. */
function levelFor({ logLevel }: Config): string {
  return logLevel === 'info' ? 'warn' : logLevel;
}

function toMessage(logLine: string): string {
  const { msg, err } = JSON.parse(logLine) as { msg?: string; err?: { message?: string } };
  return [msg, err?.message].filter((text) => text !== undefined && text !== '').join(': ');
}
