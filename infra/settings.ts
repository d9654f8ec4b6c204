import type { z } from 'zod';
import type { Config } from '../src/config.ts';
import type { AllowPattern } from '../src/source/allowlist.ts';
import { readVariables, sharedVariables } from './function-settings.ts';
import { type CheckedOptions, optionSchema } from './option-schema.ts';

/** The options, checked and with their defaults. */
export interface Settings
  extends Omit<CheckedOptions, 'imageConcurrency' | 'workerConcurrency' | 'alarmLatencySeconds'> {
  readonly config: Config;
  /** The variables that both functions and the scripts share. */
  readonly variables: Readonly<Record<string, string>>;
  readonly imageConcurrency: number;
  readonly workerConcurrency: number;
  readonly alarmLatencySeconds: number;
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
/** Three reads, a write and a delete in S3, when all of them take as long as they may (src/store/s3-store.ts). */
const STORE_SECONDS = 16;
/** For a start, decoding and encoding: what takes longer is made by prewarm. */
const ENCODE_SECONDS = 10;
/** Lambda takes 4 KB of variables in all, and CloudFormation 4 KB of an output. The others need less than 1 KB. */
const MAX_VARIABLES_BYTES = 3000;

/**
 * Checks options, whoever gave them: props in code, or context.
 *
 * @throws OptionsError with every fault at once
 */
export function readSettings(options: unknown): Settings {
  const parsed = optionSchema.safeParse(options);
  if (!parsed.success) {
    // What can be read of the variables is, so that their faults are told with the others'.
    const readable = optionSchema.safeParse(withoutFaulty(options, parsed.error.issues));
    const faults = readable.success ? readVariables(readable.data).faults : [];
    throw new OptionsError([...parsed.error.issues.flatMap(describe), ...faults]);
  }
  const checked = parsed.data;
  const { config, faults } = readVariables(checked);
  const all = [...faults, ...faultsBetween(checked), ...(config ? configFaults(checked, config) : [])];
  if (!config || all.length > 0) throw new OptionsError(all);
  return Object.freeze({
    ...checked,
    config,
    variables: sharedVariables(config, checked.sourceAllow),
    imageConcurrency: checked.imageConcurrency ?? vcpus(checked.imageMemoryMb),
    workerConcurrency: checked.workerConcurrency ?? vcpus(checked.workerMemoryMb),
    alarmLatencySeconds: checked.alarmLatencySeconds ?? Math.ceil(config.sourceTimeoutMs / 1000) + 2,
  });
}

function vcpus(memoryMb: number): number {
  return Math.max(1, Math.round(memoryMb / MB_PER_VCPU));
}

/** What is wrong with options together, each being right by itself. */
function faultsBetween(options: CheckedOptions): string[] {
  const { domainNames, certificateArn, workerBatchSize, workerBatchWindowSeconds } = options;
  const { workerReservedConcurrency: reserved, workerMaxConcurrency: busy } = options;
  const faults: string[] = [];
  if (domainNames.length > 0 !== (certificateArn !== undefined))
    faults.push('domainNames, certificateArn: one is nothing without the other');
  if (domainNames[0]?.startsWith('*'))
    faults.push('domainNames: the first one stands in the URLs that are signed: it cannot begin with *');
  if (workerBatchSize > 10 && workerBatchWindowSeconds === 0)
    faults.push('workerBatchSize: more than 10 need a workerBatchWindowSeconds of 1 or more');
  if (reserved !== undefined && reserved <= busy)
    faults.push(
      `workerReservedConcurrency: must be more than workerMaxConcurrency, ${busy}: one is for the sweep`,
    );
  return faults;
}

function configFaults(options: CheckedOptions, config: Config): string[] {
  const faults: string[] = [];
  const sourceSeconds = config.sourceTimeoutMs / 1000;
  const rest = STORE_SECONDS + ENCODE_SECONDS;
  if (sourceSeconds + rest > options.imageTimeoutSeconds)
    faults.push(
      `sourceTimeoutMs: ${config.sourceTimeoutMs} leaves less than ${rest} s of imageTimeoutSeconds, ${options.imageTimeoutSeconds}`,
    );
  if (config.sourceAllow.some(isAnyBucket))
    faults.push(
      'sourceAllow: an s3 pattern has to name its bucket, or the functions would need to read them all',
    );
  const bytes = Buffer.byteLength(JSON.stringify(sharedVariables(config, options.sourceAllow)));
  if (bytes > MAX_VARIABLES_BYTES)
    faults.push(
      `sourceAllow, cacheControl: all variables together are ${bytes} bytes: Lambda has room for ${MAX_VARIABLES_BYTES}`,
    );
  return faults;
}

function isAnyBucket({ scheme, host }: AllowPattern): boolean {
  return scheme === 's3:' && host.kind === 'any';
}

function withoutFaulty(options: unknown, issues: readonly z.core.$ZodIssue[]): Record<string, unknown> {
  const faulty = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys : [issue.path[0]],
  );
  return Object.fromEntries(Object.entries(options ?? {}).filter(([name]) => !faulty.includes(name)));
}

function describe(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => `${key}: there is no such option`);
  return [`${String(issue.path[0] ?? 'edgepress')}: ${issue.message}`];
}
