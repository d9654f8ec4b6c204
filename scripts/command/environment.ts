import { type Config, ConfigError, readConfig } from '../../src/config.ts';
import { CommandFailure } from './command-failure.ts';

/** The configuration that the server would start with: commands read the same environment. */
export function readEnvironment(): Config {
  try {
    return readConfig();
  } catch (error) {
    if (error instanceof ConfigError) throw new CommandFailure(`The environment is wrong.\n${error.message}`);
    throw error;
  }
}
