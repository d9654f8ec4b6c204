/**
 * All that an operator may set, and nothing that has to be. In `cdk.json` they stand under `context.edgepress`, on the command line
 * as `-c edgepress.NAME=VALUE`, which wins; numbers, flags and lists (comma-separated) may be given as text.
 */
export interface EdgepressOptions {
  /** The name of the stack; several may live side by side, and in several regions only under several names, which CloudFront wants once an account. Default: `Edgepress`. */
  readonly stackName?: string;

  // What the functions are told, with the meaning, the bounds and the defaults of the variable of the environment.

  /** `SOURCE_ALLOW`. An `s3` pattern has to name its bucket: its role may read there what the pattern says, and no more. */
  readonly sourceAllow?: string | readonly string[];
  /** `SOURCE_MAX_BYTES`. */
  readonly sourceMaxBytes?: number;
  /** `SOURCE_TIMEOUT_MS`; must leave 26 of the image function's seconds, which S3 and the encoder may take. */
  readonly sourceTimeoutMs?: number;
  /** `MAX_PIXELS`. */
  readonly maxPixels?: number;
  /** `WIDTHS`: at the edge, too. A rung that is taken away leaves its variants in the store until their units are purged. */
  readonly widths?: string | readonly number[];
  /** `DEFAULT_WIDTH`. */
  readonly defaultWidth?: number;
  /** `PREWARM_WIDTHS`. */
  readonly prewarmWidths?: string | readonly number[];
  /** `PREWARM_FORMATS`. */
  readonly prewarmFormats?: string | readonly string[];
  /** `PREWARM_TIERS`. */
  readonly prewarmTiers?: string | readonly string[];
  /** `PREWARM_EFFORT`. */
  readonly prewarmEffort?: string;
  /** `UPGRADE`: `on` or `off`. */
  readonly upgrade?: string;
  /** `CACHE_CONTROL`. */
  readonly cacheControl?: string;
  /** `LOG_LEVEL`. */
  readonly logLevel?: string;

  // The image function: what a viewer waits for when a variant is not there.

  /** Its memory in MB, 512 to 10,240; CPU comes with it, 1,769 MB is one vCPU. Default: 1769. */
  readonly imageMemoryMb?: number;
  /** How long it may take, 30 to 115 s; CloudFront waits five longer. Default: 45. */
  readonly imageTimeoutSeconds?: number;
  /** Encodes at once in one instance, 1 to 64. Default: its vCPUs. */
  readonly imageConcurrency?: number;
  /** How many instances are kept for it, and the most that it gets. Default: it shares the account's with everything else. */
  readonly imageReservedConcurrency?: number;

  // The worker: prewarm, and the sweep every ten minutes.

  /** Its memory in MB, 512 to 10,240. Default: 1769. */
  readonly workerMemoryMb?: number;
  /** Encodes at once in one instance, 1 to 64. Default: its vCPUs. */
  readonly workerConcurrency?: number;
  /** How many instances the queue may keep busy, 2 to 1,000: what is left of the account's (1,000 at first) is the viewers'. Default: 100. */
  readonly workerMaxConcurrency?: number;
  /** How many instances are kept for it: at least one more than the queue may keep busy, for the sweep. Default: none. */
  readonly workerReservedConcurrency?: number;
  /** Messages a call, 1 to 10,000; over 10 need a window. One has up to 25 units or 50 images. Default: 2. */
  readonly workerBatchSize?: number;
  /** How long a batch may wait to become full, 0 to 300 s. Default: 0. */
  readonly workerBatchWindowSeconds?: number;
  /** How long a message may wait for the worker, 1 to 13 days; what failed five times is then kept until it is 14 days old. Default: 7. */
  readonly queueRetentionDays?: number;

  // What is kept.

  /** Variants, manifests and source records are deleted this many days after they were stored, 1 to 36,500. Default: never. */
  readonly variantDays?: number;
  /** Whether the bucket goes with the stack: it has to be emptied before. Default: `false`, it stays. */
  readonly deleteBucket?: boolean;
  /** How long the functions' logs are kept, in days, among those that CloudWatch knows. Default: 30. */
  readonly logRetentionDays?: number;

  // CloudFront.

  /** Names under which images are asked for, the first in the URLs that are signed; with `certificateArn`. Default: CloudFront's own. */
  readonly domainNames?: string | readonly string[];
  /** A certificate for `domainNames`, in us-east-1. */
  readonly certificateArn?: string;
  /** A WAF web ACL of the scope CLOUDFRONT, in us-east-1. */
  readonly webAclArn?: string;
  /** The region of Origin Shield, one more cache in front of S3 and the function: the stack's own, or the nearest that has one. Default: none. */
  readonly originShieldRegion?: string;
  /** From where CloudFront answers: `all`, `200` (not South America, Australia, New Zealand) or `100` (North America, Europe, Israel). Default: `all`. */
  readonly priceClass?: 'all' | '200' | '100';
  /** Whether CloudFront logs each request, signed URL included, into a bucket of its own. Default: `false`. */
  readonly accessLogs?: boolean;
  /** How long these logs are kept, 1 to 3,650 days. Default: 90. */
  readonly accessLogDays?: number;
  /** Whether CloudFront measures its hit rate and the origins' latency, for a few dollars a month. Default: `false`. */
  readonly additionalMetrics?: boolean;

  // Alarms. They exist without a topic, too: they then only show.

  /** An SNS topic, in the stack's region, that is told when an alarm begins and ends. */
  readonly alarmTopicArn?: string;
  /** Of what the image function answers, in percent, 1 to 100. Broken sources of others count too. Default: 25. */
  readonly alarmFunctionUrl5xxPercent?: number;
  /** Of what viewers get, in percent, 1 to 100; watched only where the stack is in us-east-1, as CloudFront's metrics are. Default: 5. */
  readonly alarmCdn5xxPercent?: number;
  /** Of what viewers get, in percent, 1 to 100; watched only where the stack is in us-east-1. Default: 50. */
  readonly alarmCdn4xxPercent?: number;
  /** The 99th percentile of the image function's duration. Default: two seconds more than a source may take. */
  readonly alarmLatencySeconds?: number;
  /** How long the oldest message has waited. A failed one comes again after an hour and a half. Default: 120. */
  readonly alarmQueueAgeMinutes?: number;
}
