import type { Config } from '../src/config.ts';
import type { AllowPattern } from '../src/source/allowlist.ts';
import { sharedVariables } from './function-settings.ts';
import type { CheckedOptions } from './option-schema.ts';

/** What is wrong with options together, each being right by itself. */
export interface FaultBetween {
  /** Which ones: where one of them is wrong already, this says nothing. */
  readonly between: readonly (keyof CheckedOptions)[];
  readonly fault: string;
}

/** Three reads, a write and a delete in S3, when all of them take as long as they may (src/store/s3-store.ts). */
const STORE_SECONDS = 16;
/** For a start, decoding and encoding: what takes longer is made by prewarm. */
const ENCODE_SECONDS = 10;
/** Lambda takes 4 KB of variables in all, and CloudFormation 4 KB of an output. The others need less than 1 KB. */
const MAX_VARIABLES_BYTES = 3000;

/** @param region - of the stack, where it is known */
export function faultsBetween(
  options: CheckedOptions,
  config: Config,
  region: string | undefined,
): FaultBetween[] {
  return [
    ...cdnFaults(options),
    ...workerFaults(options),
    ...topicFaults(options, region),
    ...configFaults(options, config),
  ];
}

function cdnFaults({ domainNames, certificateArn }: CheckedOptions): FaultBetween[] {
  const faults: FaultBetween[] = [];
  if (domainNames.length > 0 !== (certificateArn !== undefined))
    faults.push({
      between: ['domainNames', 'certificateArn'],
      fault: 'domainNames, certificateArn: one is nothing without the other',
    });
  if (domainNames[0]?.startsWith('*'))
    faults.push({
      between: ['domainNames'],
      fault: 'domainNames: the first one stands in the URLs that are signed: it cannot begin with *',
    });
  return faults;
}

function workerFaults(options: CheckedOptions): FaultBetween[] {
  const { workerBatchSize, workerBatchWindowSeconds } = options;
  const { workerReservedConcurrency: reserved, workerMaxConcurrency: busy } = options;
  const faults: FaultBetween[] = [];
  if (workerBatchSize > 10 && workerBatchWindowSeconds === 0)
    faults.push({
      between: ['workerBatchSize', 'workerBatchWindowSeconds'],
      fault: 'workerBatchSize: more than 10 need a workerBatchWindowSeconds of 1 or more',
    });
  if (reserved !== undefined && reserved <= busy)
    faults.push({
      between: ['workerReservedConcurrency', 'workerMaxConcurrency'],
      fault: `workerReservedConcurrency: must be more than workerMaxConcurrency, ${busy}: one is for the sweep`,
    });
  return faults;
}

function topicFaults({ alarmTopicArn }: CheckedOptions, region: string | undefined): FaultBetween[] {
  const [, , , topicRegion] = alarmTopicArn?.split(':') ?? [];
  if (region === undefined || topicRegion === undefined || topicRegion === region) return [];
  return [
    {
      between: ['alarmTopicArn'],
      fault: `alarmTopicArn: the topic is in ${topicRegion}, and alarms in ${region}, where the stack is, tell topics there alone`,
    },
  ];
}

function configFaults(options: CheckedOptions, config: Config): FaultBetween[] {
  const faults: FaultBetween[] = [];
  const sourceSeconds = config.sourceTimeoutMs / 1000;
  const rest = STORE_SECONDS + ENCODE_SECONDS;
  if (sourceSeconds + rest > options.imageTimeoutSeconds)
    faults.push({
      between: ['sourceTimeoutMs', 'imageTimeoutSeconds'],
      fault: `sourceTimeoutMs: ${config.sourceTimeoutMs} leaves less than ${rest} s of imageTimeoutSeconds, ${options.imageTimeoutSeconds}`,
    });
  if (config.sourceAllow.some(isAnyBucket))
    faults.push({
      between: ['sourceAllow'],
      fault:
        'sourceAllow: an s3 pattern has to name its bucket, or the functions would need to read them all',
    });
  const bytes = Buffer.byteLength(JSON.stringify(sharedVariables(config, options.sourceAllow)));
  if (bytes > MAX_VARIABLES_BYTES)
    faults.push({
      between: ['sourceAllow', 'cacheControl'],
      fault: `sourceAllow, cacheControl: all variables together are ${bytes} bytes: Lambda has room for ${MAX_VARIABLES_BYTES}`,
    });
  return faults;
}

function isAnyBucket({ scheme, host }: AllowPattern): boolean {
  return scheme === 's3:' && host.kind === 'any';
}
