import { type Config, readConfig } from '../src/config.ts';
import { crossFieldFaults, type Warning, warningsFor } from './cross-field-validation.ts';
import { type CheckedOptions, OPTION_NAMES, OPTIONS } from './options.ts';
import { validateEach } from './validation.ts';

/** What the constructs are given: the validated options with their defaults, and what follows from them. */
export interface Settings
  extends Omit<CheckedOptions, 'imageConcurrency' | 'workerConcurrency' | 'alarmLatencySeconds'> {
  /** The options that set environment variables, as the functions read them. */
  readonly config: Config;
  /** The environment variables that both functions and the commands share. */
  readonly environment: Readonly<Record<string, string>>;
  readonly imageConcurrency: number;
  readonly workerConcurrency: number;
  readonly alarmLatencySeconds: number;
  readonly warnings: readonly Warning[];
}

/** Every fault of the options, a line each that names its option. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`the options of the stack are invalid:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.faults = faults;
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const MB_PER_VCPU = 1769;
/** The least that an event source of Lambda may have. */
const LEAST_CONCURRENCY = 2;

/**
 * Validates options, whether they come from the context or from code.
 *
 * @param known - the stack's region, and faults that have already been found
 * @throws OptionsError with all faults
 */
export function readSettings(
  options: object,
  known: { region?: string | undefined; faults?: readonly string[] } = {},
): Settings {
  const { checked, invalid, ...each } = validateEach(options);
  const { config, environment } = readEnvironment(checked);
  const crossField = crossFieldFaults(checked, config, environment, known.region)
    .filter((fault) => !fault.options.some((option) => invalid.includes(option)))
    .map(({ message }) => message);
  const faults = [...(known.faults ?? []), ...each.faults, ...crossField];
  if (faults.length > 0) throw new OptionsError(faults);
  return Object.freeze({
    ...checked,
    config,
    environment,
    imageConcurrency: checked.imageConcurrency ?? vcpus(checked.imageMemoryMb),
    workerConcurrency: checked.workerConcurrency ?? vcpus(checked.workerMemoryMb),
    // Lambda is for what is little or urgent, and containers for the rest.
    workerMaxConcurrency:
      checked.fargateMaxTasks !== undefined && !('workerMaxConcurrency' in options)
        ? LEAST_CONCURRENCY
        : checked.workerMaxConcurrency,
    alarmLatencySeconds: checked.alarmLatencySeconds ?? Math.ceil(config.sourceTimeoutMs / 1000) + 2,
    warnings: warningsFor(checked, (option) => option in options, known.region),
  });
}

/**
 * Reads the options that set environment variables as the functions will.
 *
 * @returns the configuration, and the variables for it: also those that have their defaults, so that commands of another version
 * still do what the deployed functions would
 */
function readEnvironment(options: CheckedOptions): Pick<Settings, 'config' | 'environment'> {
  const variables = OPTION_NAMES.flatMap((name) => {
    const option = OPTIONS[name];
    if (!('variable' in option)) return [];
    return [{ ...option, name: option.variable.name, given: options[name] as string | undefined }];
  });
  const config = readConfig(Object.fromEntries(variables.map(({ name, given }) => [name, given])));
  const texts = variables.map(({ name, given, format }) => [name, format(config, given)]);
  return { config, environment: Object.fromEntries(texts.filter(([, text]) => text !== undefined)) };
}

function vcpus(memoryMb: number): number {
  return Math.max(1, Math.round(memoryMb / MB_PER_VCPU));
}
