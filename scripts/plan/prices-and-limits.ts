/**
 * AWS list prices in US dollars, without taxes, from the pricing pages of Lambda, Fargate, SQS, S3 and CloudFront. Free tiers are left out,
 * except that of invalidations. `plan --json` prints this object as `prices`.
 */
export const PRICES = {
  date: 'November 2026',
  region: 'us-east-1',
  /** Lambda on arm64. */
  usdPerGbSecond: 0.0000133334,
  usdPerMillionInvocations: 0.2,
  /** Fargate on Linux, arm64. */
  usdPerVcpuHour: 0.03238,
  usdPerTaskGbHour: 0.00356,
  /** Of Fargate Spot, of the price of Fargate. It follows the market: AWS says "up to 70% off". */
  spotShare: 0.3,
  /** A public IPv4 address: each container has one. */
  usdPerAddressHour: 0.005,
  /** SQS: any call, of ten messages at most, up to 64 KB. */
  usdPerMillionQueueCalls: 0.4,
  /** S3: put and list are of one class. Deletes are not charged. */
  usdPerMillionPuts: 5,
  /** S3: get and head. */
  usdPerMillionGets: 0.4,
  usdPerGbMonth: 0.023,
  /** CloudFront in North America and Europe; in India $0.109. What S3 sends to CloudFront is not charged. */
  usdPerGbOut: 0.085,
  usdPerMillionViews: 1,
  /** CloudFront Functions. */
  usdPerMillionEdgeRuns: 0.1,
  /** CloudFront's invalidations; a cache tag counts as one path. */
  usdPerTag: 0.005,
  freeTagsPerMonth: 1000,
} as const;

type Price = Exclude<keyof typeof PRICES, 'date' | 'region' | 'freeTagsPerMonth' | 'spotShare'>;

/** What each price is for, in the order in which the report lists them. */
export const PRICE_NAMES: Readonly<Record<Price, string>> = {
  usdPerGbSecond: 'a GB-second of Lambda (arm64)',
  usdPerVcpuHour: 'a vCPU of Fargate (arm64) for an hour; Spot about 30% of it',
  usdPerTaskGbHour: 'a GB of memory of Fargate (arm64) for an hour; Spot about 30% of it',
  usdPerAddressHour: 'a public IPv4 address for an hour',
  usdPerMillionInvocations: 'a million invocations of Lambda',
  usdPerMillionQueueCalls: 'a million calls of SQS',
  usdPerMillionPuts: 'a million puts or lists of S3 (deletes are free)',
  usdPerMillionGets: 'a million gets or heads of S3',
  usdPerGbMonth: 'a GB in S3 for a month',
  usdPerGbOut: 'a GB out of CloudFront (India: $0.109)',
  usdPerMillionViews: 'a million requests of CloudFront',
  usdPerMillionEdgeRuns: 'a million runs of the CloudFront Function',
  usdPerTag: 'a cache tag invalidated, beyond 1,000 a month',
};

/** Quotas and limits of AWS, from its documentation in November 2026. */
export const LIMITS = {
  /** Lambda memory that comes with one whole vCPU. */
  mbPerVcpu: 1769,
  /** With less, decoding the largest image that is accepted would exhaust the function's memory: the stack rejects it. */
  leastMemoryMb: 512,
  /** The most memory of a Lambda function. */
  memoryMb: 10_240,
  /** Of all functions of an account in a region together, until the quota is raised. New accounts may have less. */
  concurrentExecutions: 1000,
  /** Of these, the part that AWS never lets functions reserve: left to the image function and any others. */
  executionsForOthers: 100,
  /** How fast the execution environments of one function can grow. */
  newEnvironments: 1000,
  newEnvironmentsSeconds: 10,
  /** The longest run of a Lambda function. */
  functionSeconds: 900,
  /** The highest maximum concurrency of an SQS event source. */
  eventSourceConcurrency: 1000,
  /** How fast the concurrency of an event source grows. */
  eventSourceGrowthPerMinute: 300,
  /** Messages received and not yet deleted, of one standard queue. */
  messagesInFlight: 120_000,
  messagesPerCall: 10,
  /** Of one S3 partition; a bucket starts with one. */
  writesPerSecond: 3500,
  readsPerSecond: 5500,
  /**
   * How long a partition is busy before S3 has split it in two. Amazon says that it scales gradually and gives no time ("Best practices
   * design patterns: optimizing Amazon S3 performance", S3 User Guide); operators report 30 to 60 minutes.
   */
  secondsToSplit: 1800,
  keysPerList: 1000,
  /** Of one CloudFront distribution. */
  viewsPerSecond: 250_000,
  gigabitsPerSecond: 150,
  tagsInFlight: 3000,
  /** Within this time 95% of invalidations are complete. */
  invalidationSeconds: 25,
} as const;

export const SECONDS_PER_HOUR = 3600;
/** As the AWS pricing calculator counts a month. */
export const HOURS_PER_MONTH = 730;
export const MILLION = 1_000_000;
/** Decimal, as mobile contracts count: where AWS means 2^30 bytes, its bill is 7% lower. */
export const KB_PER_GB = 1_000_000;
