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
  /** The least and the highest maximum concurrency of an SQS event source. */
  leastEventSourceConcurrency: 2,
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
  /** A month, of an account: not charged. */
  freeTagsPerMonth: 1000,
  /** Within this time 95% of invalidations are complete. */
  invalidationSeconds: 25,
} as const;

export const SECONDS_PER_HOUR = 3600;
/** As the AWS pricing calculator counts a month. */
export const HOURS_PER_MONTH = 730;
export const MILLION = 1_000_000;
/** Decimal, as mobile contracts count: where AWS means 2^30 bytes, its bill is 7% lower. */
export const KB_PER_GB = 1_000_000;
export const BYTES_PER_GB = 1_000_000_000;
