/** What AWS allows, as its documentation said in November 2026. */
export const LIMITS = {
  /** Of Lambda's memory, for which one gets a whole vCPU. */
  mbPerVcpu: 1769,
  /** With less, decoding the largest picture that is let in would end the function: the stack refuses it. */
  leastMemoryMb: 512,
  /** The most of it. */
  memoryMb: 10_240,
  /** Of all functions of an account in a region together, until it is raised. New accounts may have less. */
  concurrentExecutions: 1000,
  /** Of these, what AWS never lets functions reserve: here for the image function and whatever else there is. */
  executionsForOthers: 100,
  /** How fast the environments of one function may grow. */
  newEnvironments: 1000,
  newEnvironmentsSeconds: 10,
  functionSeconds: 900,
  /** What an event source that polls SQS may have under way, as its maximum concurrency says. */
  eventSourceConcurrency: 1000,
  /** How fast that grows. */
  eventSourceGrowthPerMinute: 300,
  /** Messages received and not yet deleted, of one standard queue. */
  messagesInFlight: 120_000,
  messagesPerCall: 10,
  /** Of one partition of S3, of which a bucket begins with one. */
  writesPerSecond: 3500,
  readsPerSecond: 5500,
  keysPerList: 1000,
  /** Of one distribution of CloudFront. */
  viewsPerSecond: 250_000,
  gigabitsPerSecond: 150,
  tagsInFlight: 3000,
  /** In which 95% of invalidations are complete. */
  invalidationSeconds: 25,
} as const;

/** `v1/{shard}/…`: the first two hex digits of a hash. */
export const SHARDS = 256;

export const SECONDS_PER_HOUR = 3600;
/** As AWS' own calculator counts a month. */
export const HOURS_PER_MONTH = 730;
export const MILLION = 1_000_000;
/** Decimal, as mobile contracts count: where AWS means 2^30 bytes, its bill is 7% lower. */
export const KB_PER_GB = 1_000_000;
