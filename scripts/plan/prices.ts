/** What Amazon asks, in US dollars, without taxes. Free tiers are left out, but for that of invalidations. */
export const PRICES = {
  date: 'November 2026',
  region: 'us-east-1',
  /** Lambda on arm64. */
  usdPerGbSecond: 0.0000133334,
  usdPerMillionInvocations: 0.2,
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

type Price = Exclude<keyof typeof PRICES, 'date' | 'region' | 'freeTagsPerMonth'>;

/** What each price is for, in the order in which they are told. */
export const PRICE_NAMES: Readonly<Record<Price, string>> = {
  usdPerGbSecond: 'a GB-second of Lambda (arm64)',
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
