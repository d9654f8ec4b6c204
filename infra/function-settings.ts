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
 * @returns the configuration, and the faults: each names its option
 */
export function readVariables(options: VariableOptions): { config: Config | undefined; faults: string[] } {
  const names = Object.entries(VARIABLES) as [VariableOption, string][];
  // To the functions, an empty variable is an absent one; whoever set an option to nothing meant something.
  const empty = names.filter(([option]) => options[option] === '');
  const faults = empty.map(([option]) => `${option}: is empty: leave it out instead`);
  try {
    const variables = Object.fromEntries(names.map(([option, name]) => [name, options[option]]));
    return { config: readConfig(variables), faults };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: undefined, faults: [...faults, ...error.faults.map(nameOption)] };
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
