import { type Config, ConfigError, readConfig } from '../src/config.ts';
import type { CheckedOptions } from './option-schema.ts';

/** Which option becomes which variable. */
const VARIABLES = {
  sourceAllow: 'SOURCE_ALLOW',
  sourceMaxBytes: 'SOURCE_MAX_BYTES',
  sourceTimeoutMs: 'SOURCE_TIMEOUT_MS',
  maxPixels: 'MAX_PIXELS',
  widths: 'WIDTHS',
  defaultWidth: 'DEFAULT_WIDTH',
  prewarmWidths: 'PREWARM_WIDTHS',
  prewarmFormats: 'PREWARM_FORMATS',
  prewarmTiers: 'PREWARM_TIERS',
  prewarmEffort: 'PREWARM_EFFORT',
  upgrade: 'UPGRADE',
  cacheControl: 'CACHE_CONTROL',
  logLevel: 'LOG_LEVEL',
} as const satisfies Partial<Record<keyof CheckedOptions, string>>;

type VariableOption = keyof typeof VARIABLES;
export type VariableOptions = Pick<CheckedOptions, VariableOption>;

/**
 * Reads these options as the functions will read their environment, so that what they would refuse never gets that far.
 *
 * @returns the configuration, of the options that can be read; the faults, each of which names its option; and these names
 */
export function readVariables(options: VariableOptions): {
  config: Config;
  faults: string[];
  faulty: string[];
} {
  const names = Object.entries(VARIABLES) as [VariableOption, string][];
  // To the functions, an empty variable is an absent one; whoever set an option to nothing meant something.
  const empty = names.map(([option]) => option).filter((option) => options[option] === '');
  const emptyFaults = empty.map((option) => `${option}: is empty: leave it out instead`);
  const readWithout = (faulty: readonly string[]) => {
    const rest = names.filter(([option]) => !faulty.includes(option));
    return readConfig(Object.fromEntries(rest.map(([option, name]) => [name, options[option]])));
  };
  try {
    return { config: readWithout([]), faults: emptyFaults, faulty: empty };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const faults = error.faults.map(nameOption);
    const faulty = faults.map((fault) => fault.slice(0, fault.indexOf(':')));
    return {
      config: readWithout(faulty),
      faults: [...emptyFaults, ...faults],
      faulty: [...empty, ...faulty],
    };
  }
}

/**
 * The variables that both functions and the scripts share: defaults too, so that scripts of another version still do what the
 * functions that are deployed would.
 */
export function sharedVariables(config: Config, sourceAllow: string | undefined): Record<string, string> {
  return {
    ...(sourceAllow !== undefined && { SOURCE_ALLOW: sourceAllow }),
    SOURCE_MAX_BYTES: String(config.sourceMaxBytes),
    SOURCE_TIMEOUT_MS: String(config.sourceTimeoutMs),
    MAX_PIXELS: String(config.maxPixels),
    WIDTHS: config.ladder.widths.join(','),
    DEFAULT_WIDTH: String(config.ladder.defaultWidth),
    PREWARM_WIDTHS: config.prewarm.widths.join(','),
    PREWARM_FORMATS: config.prewarm.formats.join(','),
    PREWARM_TIERS: config.prewarm.tiers.join(','),
    PREWARM_EFFORT: config.prewarmEffort,
    UPGRADE: config.upgrade ? 'on' : 'off',
    CACHE_CONTROL: config.cacheControl,
    LOG_LEVEL: config.logLevel,
  };
}

function nameOption(fault: string): string {
  const named = Object.entries(VARIABLES).find(([, name]) => fault.startsWith(`${name}:`));
  return named ? fault.replace(named[1], named[0]) : fault;
}
