import { pino } from 'pino';
import { type Config, ConfigError } from '../../src/config.ts';
import { createServices } from '../../src/services.ts';
import { createUnitServices, type UnitServices, type UnitServicesOptions } from '../../src/unit-services.ts';
import { CommandFailure } from './command-failure.ts';
import './quiet-sdk.ts';

/** What a command does its work on units with. */
export interface UnitSession extends Pick<UnitServices, 'units' | 'queue' | 'cdn' | 'finish'> {
  /** Lets go of all connections. */
  close(): Promise<void>;
}

/**
 * Wires up the work on units as the server does.
 *
 * @param say - tells the user what a server would write into its log
 */
export async function openUnitSession(
  config: Config,
  say: (text: string) => void,
  options: UnitServicesOptions = {},
): Promise<UnitSession> {
  const log = pino({ level: levelFor(config) }, { write: (line: string) => say(describeLogLine(line)) });
  try {
    const services = await createServices(config, log);
    const { units, queue, cdn, finish } = await createUnitServices(config, log, services, options);
    return {
      ...{ units, queue, cdn, finish },
      close: () => services.close(),
    };
  } catch (error) {
    if (error instanceof ConfigError) throw new CommandFailure(`The environment is wrong.\n${error.message}`);
    throw error;
  }
}

/** What a server says in passing is in the way of what a command says. */
function levelFor({ logLevel }: Config): string {
  return logLevel === 'info' ? 'warn' : logLevel;
}

function describeLogLine(line: string): string {
  const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string } };
  return [msg, err?.message].filter((text) => text !== undefined && text !== '').join(': ');
}
