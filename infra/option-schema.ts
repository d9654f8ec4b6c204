import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { z } from 'zod';
import { among, flag, list, matching, variable, whole } from './option-values.ts';
import type { EdgepressOptions } from './options.ts';

const HOST = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;
const STACK_NAME = /^[A-Za-z][A-Za-z0-9-]{0,40}$/;
const CERTIFICATE = /^arn:aws:acm:us-east-1:\d{12}:certificate\/[\w-]+$/;
const WEB_ACL = /^arn:aws:wafv2:us-east-1:\d{12}:global\/webacl\/[\w-]+\/[\w-]+$/;
const TOPIC = /^arn:aws:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}$/;
/** https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/origin-shield.html#choose-origin-shield-region */
const SHIELD_REGIONS = [
  ...['us-east-1', 'us-east-2', 'us-west-2', 'sa-east-1', 'eu-central-1', 'eu-west-1', 'eu-west-2'],
  ...['ap-south-1', 'ap-northeast-1', 'ap-northeast-2', 'ap-southeast-1', 'ap-southeast-2'],
] as const;
const RETENTIONS = Object.values(RetentionDays).filter(
  (days) => typeof days === 'number' && days !== RetentionDays.INFINITE,
);
const retentionMessage = `must be one of ${RETENTIONS.join(', ')}`;
/** With less, decoding the largest picture that is let in would end the function. */
const memoryMb = () => whole(512, 10_240).default(1769);
const percent = () => whole(1, 100);

/** Each option by itself: what it may be, and what it is without. Bounds are AWS's, but where a comment says more. */
const fields = {
  stackName: matching(STACK_NAME, 'must be a letter, then up to 40 letters, digits and -').default(
    'Edgepress',
  ),

  sourceAllow: variable().optional(),
  sourceMaxBytes: variable().optional(),
  sourceTimeoutMs: variable().optional(),
  maxPixels: variable().optional(),
  widths: variable().optional(),
  defaultWidth: variable().optional(),
  prewarmWidths: variable().optional(),
  prewarmFormats: variable().optional(),
  prewarmTiers: variable().optional(),
  prewarmEffort: variable().optional(),
  upgrade: variable().optional(),
  cacheControl: variable().optional(),
  logLevel: variable().optional(),

  imageMemoryMb: memoryMb(),
  // CloudFront waits for an origin 120 s at most, unless AWS is asked for more.
  imageTimeoutSeconds: whole(30, 115).default(45),
  imageConcurrency: whole(1, 64).optional(),
  imageReservedConcurrency: whole(1, 100_000).optional(),

  workerMemoryMb: memoryMb(),
  workerConcurrency: whole(1, 64).optional(),
  workerMaxConcurrency: whole(2, 1000).default(100),
  workerReservedConcurrency: whole(3, 100_000).optional(),
  workerBatchSize: whole(1, 10_000).default(2),
  workerBatchWindowSeconds: whole(0, 300).default(0),
  // A dead letter keeps the age that it had: the fourteenth day, SQS's last, is for whoever looks at it.
  queueRetentionDays: whole(1, 13).default(7),

  variantDays: whole(1, 36_500).optional(),
  deleteBucket: flag().default(false),
  logRetentionDays: whole(1, 3653)
    .refine((days) => RETENTIONS.includes(days), retentionMessage)
    .default(30),

  domainNames: list(matching(HOST, 'must be host names in lower case')).default([]),
  certificateArn: matching(CERTIFICATE, 'must be the ARN of an ACM certificate in us-east-1').optional(),
  webAclArn: matching(
    WEB_ACL,
    'must be the ARN of a WAFv2 web ACL for CloudFront (us-east-1, global)',
  ).optional(),
  originShieldRegion: among(SHIELD_REGIONS).optional(),
  priceClass: among(['all', '200', '100']).default('all'),
  accessLogs: flag().default(false),
  accessLogDays: whole(1, 3650).default(90),
  additionalMetrics: flag().default(false),

  alarmTopicArn: matching(TOPIC, 'must be the ARN of an SNS topic').optional(),
  alarmFunctionUrl5xxPercent: percent().default(25),
  alarmCdn5xxPercent: percent().default(5),
  alarmCdn4xxPercent: percent().default(50),
  alarmLatencySeconds: whole(1, 115).optional(),
  alarmQueueAgeMinutes: whole(1, 14 * 24 * 60).default(120),
} satisfies Record<keyof EdgepressOptions, z.ZodType>;

export const optionSchema = z.strictObject(fields);
export const OPTION_NAMES: readonly string[] = Object.keys(fields);
export type CheckedOptions = z.output<typeof optionSchema>;
