import type { Config } from '../src/config.ts';
import type { AllowPattern } from '../src/source/allowlist.ts';
import { isAscii } from './ascii.ts';
import { type CheckedOptions, OPTION_NAMES, OPTIONS, type OptionName } from './options.ts';
import { type CrossFieldFault, regionFaults } from './region-validation.ts';
import { CDN_REGION } from './regions.ts';

/** Something that can be deployed, but is probably not intended. */
export interface Warning {
  readonly option: OptionName;
  readonly text: string;
}

/** The worst case of three reads, a write and a delete in S3 (the timeouts in src/store/s3-store.ts). */
const STORE_SECONDS = 16;
/** Enough to start, decode and encode; what takes longer is left to prewarm. */
const ENCODE_SECONDS = 10;
/** Lambda limits all environment variables to 4 KB, CloudFormation an output to 4 KB. The other variables need less than 1 KB. */
const MAX_ENVIRONMENT_BYTES = 3000;
/** How much of the initial quota of 1,000 can be reserved: https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
const MAX_RESERVED_CONCURRENCY = 900;

/**
 * Validates the options against each other.
 *
 * @param environment - the variables that the options make
 * @param region - the stack's region, where it is known
 */
export function crossFieldFaults(
  options: CheckedOptions,
  config: Config,
  environment: Readonly<Record<string, string>>,
  region: string | undefined,
): CrossFieldFault[] {
  return [
    ...domainFaults(options),
    ...workerFaults(options),
    ...regionFaults(options, region),
    ...sourceFaults(options, config),
    ...characterFaults(environment),
    ...sizeFaults(environment),
  ];
}

function domainFaults({ domainNames, certificateArn }: CheckedOptions): CrossFieldFault[] {
  const faults: CrossFieldFault[] = [];
  if (domainNames.length > 0 !== (certificateArn !== undefined))
    faults.push({
      options: ['domainNames', 'certificateArn'],
      message: 'domainNames, certificateArn: each needs the other',
    });
  if (domainNames[0]?.startsWith('*'))
    faults.push({
      options: ['domainNames'],
      message: 'domainNames: the first one is used in signed URLs, so it cannot begin with *',
    });
  return faults;
}

function workerFaults(options: CheckedOptions): CrossFieldFault[] {
  const { workerBatchSize, workerBatchWindowSeconds, workerReservedConcurrency, workerMaxConcurrency } =
    options;
  const faults: CrossFieldFault[] = [];
  if (workerBatchSize > 10 && workerBatchWindowSeconds === 0)
    faults.push({
      options: ['workerBatchSize', 'workerBatchWindowSeconds'],
      message: 'workerBatchSize: more than 10 need a workerBatchWindowSeconds of 1 or more',
    });
  if (workerReservedConcurrency !== undefined && workerReservedConcurrency <= workerMaxConcurrency)
    faults.push({
      options: ['workerReservedConcurrency', 'workerMaxConcurrency'],
      message: `workerReservedConcurrency: must be more than workerMaxConcurrency, ${workerMaxConcurrency}: one is for the sweep`,
    });
  return faults;
}

function sourceFaults({ imageTimeoutSeconds }: CheckedOptions, config: Config): CrossFieldFault[] {
  const faults: CrossFieldFault[] = [];
  const otherSeconds = STORE_SECONDS + ENCODE_SECONDS;
  if (config.sourceTimeoutMs / 1000 + otherSeconds > imageTimeoutSeconds)
    faults.push({
      options: ['sourceTimeoutMs', 'imageTimeoutSeconds'],
      message: `sourceTimeoutMs: ${config.sourceTimeoutMs} leaves less than ${otherSeconds} s of imageTimeoutSeconds, ${imageTimeoutSeconds}`,
    });
  if (config.sourceAllow.some(isAnyBucket))
    faults.push({
      options: ['sourceAllow'],
      message:
        'sourceAllow: an s3 pattern must name its bucket; otherwise the functions would need to read every bucket',
    });
  return faults;
}

function isAnyBucket({ scheme, host }: AllowPattern): boolean {
  return scheme === 's3:' && host.kind === 'any';
}

/** Values that CloudFormation would change, beyond those that are written in ASCII for it. */
function characterFaults(environment: Readonly<Record<string, string>>): CrossFieldFault[] {
  return OPTION_NAMES.flatMap((name) => {
    const option = OPTIONS[name];
    const text = ('variable' in option && environment[option.variable.name]) || '';
    if (isAscii(text)) return [];
    const found = text.split(',').find((part) => !isAscii(part));
    const hint =
      name === 'sourceAllow'
        ? `: write * for each other character, as in ${found?.replace(/[^ -~]/g, '*')}`
        : '';
    return [
      {
        options: [name],
        message: `${name}: ${found} has characters that CloudFormation would replace by "?": it takes ASCII only${hint}`,
      },
    ];
  });
}

function sizeFaults(environment: Readonly<Record<string, string>>): CrossFieldFault[] {
  const bytes = Buffer.byteLength(JSON.stringify(environment));
  if (bytes <= MAX_ENVIRONMENT_BYTES) return [];
  return [
    {
      options: ['sourceAllow', 'cacheControl'],
      message: `sourceAllow, cacheControl: all variables together are ${bytes} bytes, and Lambda has room for ${MAX_ENVIRONMENT_BYTES}`,
    },
  ];
}

/**
 * Returns warnings about valid options.
 *
 * @param isSet - whether an option was given, as opposed to its default
 * @param region - the stack's region, where it is known
 */
export function warningsFor(
  options: CheckedOptions,
  isSet: (option: OptionName) => boolean,
  region: string | undefined,
): Warning[] {
  const warnings: Warning[] = [];
  if (options.sourceAllow === undefined)
    warnings.push({
      option: 'sourceAllow',
      text: "sourceAllow is not set: anybody with a signed URL can have any public address fetched. Name your clients' servers: -c edgepress.sourceAllow='https://*.clients.example.com/*'",
    });
  const reserved = (options.imageReservedConcurrency ?? 0) + (options.workerReservedConcurrency ?? 0);
  if (reserved > MAX_RESERVED_CONCURRENCY)
    warnings.push({
      option: 'imageReservedConcurrency',
      text: `imageReservedConcurrency and workerReservedConcurrency are ${reserved} together: of an account's concurrency, 1,000 at first, 100 cannot be reserved, so the deployment fails unless AWS has raised the quota. npm run deploy:check shows yours`,
    });
  if (isSet('accessLogDays') && !options.accessLogs)
    warnings.push({ option: 'accessLogDays', text: 'accessLogDays has no effect without accessLogs' });
  if (region === CDN_REGION && options.viewerAlarmTopicArn !== undefined)
    warnings.push({
      option: 'viewerAlarmTopicArn',
      text: `viewerAlarmTopicArn has no effect: the stack is in ${CDN_REGION}, and alarmTopicArn is for all of its alarms`,
    });
  return warnings;
}
