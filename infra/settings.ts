import type { z } from 'zod';
import type { Config } from '../src/config.ts';
import { faultsBetween } from './faults-between.ts';
import { readVariables, sharedVariables } from './function-settings.ts';
import { nearest } from './nearest.ts';
import { type CheckedOptions, OPTION_NAMES, optionSchema } from './option-schema.ts';
import { type Warning, warningsOf } from './warnings.ts';

/** The options, checked and with their defaults. */
export interface Settings
  extends Omit<CheckedOptions, 'imageConcurrency' | 'workerConcurrency' | 'alarmLatencySeconds'> {
  readonly config: Config;
  /** The variables that both functions and the scripts share. */
  readonly variables: Readonly<Record<string, string>>;
  readonly imageConcurrency: number;
  readonly workerConcurrency: number;
  readonly alarmLatencySeconds: number;
  readonly warnings: readonly Warning[];
}

/** Every fault of the options, each line naming its option. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`the options of the stack are wrong:\n${faults.map((fault) => `  ${fault}`).join('\n')}`);
    this.faults = faults;
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html */
const MB_PER_VCPU = 1769;

/**
 * Checks options, whoever gave them: props in code, or context.
 *
 * @param known - the region of the stack, and what is wrong already
 * @throws OptionsError with every fault at once
 */
export function readSettings(
  options: object,
  known: { region?: string | undefined; faults?: readonly string[] } = {},
): Settings {
  const { checked, ...each } = readEach(options);
  const { config, ...variables } = readVariables(checked);
  const faulty = [...each.faulty, ...variables.faulty];
  const between = faultsBetween(checked, config, known.region)
    .filter((fault) => !fault.between.some((option) => faulty.includes(option)))
    .map(({ fault }) => fault);
  const faults = [...(known.faults ?? []), ...each.faults, ...variables.faults, ...between];
  if (faults.length > 0) throw new OptionsError(faults);
  return Object.freeze({
    ...checked,
    config,
    variables: sharedVariables(config, checked.sourceAllow),
    imageConcurrency: checked.imageConcurrency ?? vcpus(checked.imageMemoryMb),
    workerConcurrency: checked.workerConcurrency ?? vcpus(checked.workerMemoryMb),
    alarmLatencySeconds: checked.alarmLatencySeconds ?? Math.ceil(config.sourceTimeoutMs / 1000) + 2,
    warnings: warningsOf(checked, (option) => option in options, known.region),
  });
}

function vcpus(memoryMb: number): number {
  return Math.max(1, Math.round(memoryMb / MB_PER_VCPU));
}

/** Reads each option by itself. Those that are wrong are named, and left out, so that what is wrong with others is told, too. */
function readEach(options: object): { checked: CheckedOptions; faults: string[]; faulty: string[] } {
  const { data, error } = optionSchema.safeParse(options);
  if (data) return { checked: data, faults: [], faulty: [] };
  const faulty = error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys : [String(issue.path[0])],
  );
  const rest = Object.entries(options).filter(([name]) => !faulty.includes(name));
  return {
    checked: optionSchema.parse(Object.fromEntries(rest)),
    faults: error.issues.flatMap(describe),
    faulty,
  };
}

function describe(issue: z.core.$ZodIssue): string[] {
  if (issue.code !== 'unrecognized_keys') return [`${String(issue.path[0])}: ${issue.message}`];
  return issue.keys.map((key) => {
    const near = nearest(key, OPTION_NAMES);
    const hint = near === undefined ? '. ' : `: did you mean ${near}? `;
    return `${key}: there is no such option${hint}All are in infra/options.ts`;
  });
}
