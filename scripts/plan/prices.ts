import { CDN_AREAS, type CdnArea } from './cdn-prices.ts';

/**
 * AWS list prices in US dollars, without taxes and free tiers (invalidations excepted). `plan --json` prints them as `prices`, and the report
 * where each comes from. To bring them up to date, change this file, `cdn-prices.ts` and the date.
 */
export const PRICES_DATE = 'November 2026';
/** The region whose prices stand for those that were not found. */
export const PRICES_REGION = 'us-east-1';

/** Prices of one region, and those of CloudFront that do not depend on where viewers are. */
export interface Prices {
  usdPerGbSecond: number;
  usdPerMillionInvocations: number;
  usdPerVcpuHour: number;
  usdPerTaskGbHour: number;
  /** Of Fargate Spot, of the price of Fargate. */
  spotShare: number;
  usdPerAddressHour: number;
  usdPerMillionQueueCalls: number;
  usdPerMillionPuts: number;
  usdPerMillionGets: number;
  usdPerGbMonth: number;
  usdPerGbOfLogs: number;
  usdPerMillionEdgeRuns: number;
  usdPerMillionKeyReads: number;
  usdPerTag: number;
}

type PriceName = keyof Prices;

const US_EAST_1: Readonly<Prices> = {
  usdPerGbSecond: 0.0000133334,
  usdPerMillionInvocations: 0.2,
  usdPerVcpuHour: 0.03238,
  usdPerTaskGbHour: 0.00356,
  spotShare: 0.3,
  usdPerAddressHour: 0.005,
  usdPerMillionQueueCalls: 0.4,
  usdPerMillionPuts: 5,
  usdPerMillionGets: 0.4,
  usdPerGbMonth: 0.023,
  usdPerGbOfLogs: 0.5,
  usdPerMillionEdgeRuns: 0.1,
  usdPerMillionKeyReads: 0.03,
  usdPerTag: 0.005,
};

/** What each price is for, and where it was read, in the order in which the report lists them. */
export const PRICE_NAMES: Readonly<Record<PriceName, { what: string; source: string }>> = {
  usdPerGbSecond: {
    what: 'a GB-second of Lambda (arm64), its first tier',
    source: 'AWS Lambda pricing',
  },
  usdPerMillionInvocations: { what: 'a million invocations of Lambda', source: 'AWS Lambda pricing' },
  usdPerVcpuHour: {
    what: 'a vCPU of Fargate (arm64) for an hour',
    source: 'Price List API, AmazonECS, Fargate-ARM-vCPU-Hours (2026)',
  },
  usdPerTaskGbHour: {
    what: 'a GB of memory of Fargate (arm64) for an hour',
    source: 'Price List API, AmazonECS, Fargate-ARM-GB-Hours (2026)',
  },
  spotShare: {
    what: 'of the price of Fargate, on Fargate Spot; it follows the market',
    source: 'AWS Fargate pricing: "up to 70% off"',
  },
  usdPerAddressHour: {
    what: 'a public IPv4 address for an hour, in every region',
    source: 'Amazon VPC pricing',
  },
  usdPerMillionQueueCalls: {
    what: 'a million calls of SQS, of 64 KB at most',
    source: 'Amazon SQS pricing',
  },
  usdPerMillionPuts: {
    what: 'a million puts or lists of S3 (deletes are free)',
    source: 'data of the Amazon S3 pricing page (September 2024)',
  },
  usdPerMillionGets: {
    what: 'a million gets or heads of S3',
    source: 'data of the Amazon S3 pricing page (September 2024)',
  },
  usdPerGbMonth: {
    what: 'a GB in S3 for a month, of the first 50 TB',
    source: 'data of the Amazon S3 pricing page (September 2024)',
  },
  usdPerGbOfLogs: {
    what: 'a GB taken in by CloudWatch Logs, of the first 10 TB',
    source: 'Price List API, AmazonCloudWatch, DataProcessing-Bytes (2026)',
  },
  usdPerMillionEdgeRuns: {
    what: 'a million runs of the CloudFront Function',
    source: 'Amazon CloudFront pricing, pay as you go',
  },
  usdPerMillionKeyReads: {
    what: 'a million reads of the key-value store by it',
    source: 'Amazon CloudFront pricing, pay as you go',
  },
  usdPerTag: {
    what: 'a cache tag invalidated, beyond 1,000 a month',
    source: 'Amazon CloudFront Developer Guide, "Pay for file invalidation"',
  },
};

/** Of CloudFront, or the same everywhere. */
const SAME_EVERYWHERE: readonly PriceName[] = [
  ...(['usdPerMillionInvocations', 'spotShare', 'usdPerAddressHour'] as const),
  ...(['usdPerMillionEdgeRuns', 'usdPerMillionKeyReads', 'usdPerTag'] as const),
];

/** Lambda's price for a GB-second, where it is not that of us-east-1; `undefined`: not found. */
const LAMBDA: Readonly<Record<string, number | undefined>> = {
  'af-south-1': 0.00001768,
  'ap-east-1': 0.0000183,
  'eu-south-1': 0.0000156138,
  'me-south-1': 0.0000165334,
  'ap-northeast-3': undefined,
};

/** S3: a million puts or lists, a million gets, a GB for a month. */
const S3: Readonly<Record<string, readonly [puts: number, gets: number, gbMonth: number]>> = {
  'us-east-1': [5, 0.4, 0.023],
  'us-east-2': [5, 0.4, 0.023],
  'us-west-1': [5.5, 0.44, 0.026],
  'us-west-2': [5, 0.4, 0.023],
  'ca-central-1': [5.5, 0.44, 0.025],
  'sa-east-1': [7, 0.56, 0.0405],
  'eu-central-1': [5.4, 0.43, 0.0245],
  'eu-north-1': [5, 0.4, 0.023],
  'eu-south-1': [5.3, 0.4, 0.024],
  'eu-west-1': [5, 0.4, 0.023],
  'eu-west-2': [5.3, 0.42, 0.024],
  'eu-west-3': [5.3, 0.42, 0.024],
  'af-south-1': [6, 0.4, 0.0274],
  'me-south-1': [5.5, 0.44, 0.025],
  'ap-east-1': [5, 0.4, 0.025],
  'ap-northeast-1': [4.7, 0.37, 0.025],
  'ap-northeast-2': [4.5, 0.35, 0.025],
  'ap-northeast-3': [4.7, 0.37, 0.025],
  'ap-south-1': [5, 0.4, 0.025],
  'ap-southeast-1': [5, 0.4, 0.025],
  'ap-southeast-2': [5.5, 0.44, 0.025],
  'ap-southeast-3': [5, 0.4, 0.025],
};

/** Fargate on arm64: a vCPU and a GB for an hour. Mumbai's is what two bills of 2026 charge, cost ÷ quantity. */
const FARGATE: Readonly<Record<string, readonly [vcpu: number, gb: number]>> = {
  'us-east-1': [0.03238, 0.00356],
  'eu-west-1': [0.03238, 0.00356],
  'eu-west-2': [0.03725, 0.00409],
  'sa-east-1': [0.0557, 0.00612],
  'ap-northeast-1': [0.04045, 0.00442],
  'ap-northeast-2': [0.03725, 0.00409],
  'ap-south-1': [0.02383, 0.00261],
  'ap-southeast-1': [0.04045, 0.00442],
  'ap-southeast-2': [0.03885, 0.00426],
};

/** CloudWatch Logs: a GB taken in. */
const LOGS: Readonly<Record<string, number>> = {
  'us-east-1': 0.5,
  'us-west-2': 0.5,
  'eu-central-1': 0.63,
  'eu-west-1': 0.57,
  'eu-west-2': 0.5985,
  'ap-northeast-1': 0.76,
  'ap-northeast-2': 0.76,
  'ap-south-1': 0.67,
  'ap-southeast-1': 0.7,
};

export const PRICED_REGIONS: readonly string[] = Object.keys(S3);

export interface RegionPrices extends Prices {
  region: string;
  /** Those that were not found for the region: they are those of `PRICES_REGION`. */
  notFound: readonly PriceName[];
}

/** The prices of a region. What was not found is that of us-east-1, and named in `notFound`. */
export function pricesOf(region: string): RegionPrices {
  const [puts, gets, gbMonth] = S3[region] ?? [];
  const [vcpu, gb] = FARGATE[region] ?? [];
  const isListed = region in S3;
  const found: { readonly [Name in PriceName]?: number | undefined } = {
    usdPerGbSecond: region in LAMBDA || !isListed ? LAMBDA[region] : US_EAST_1.usdPerGbSecond,
    usdPerVcpuHour: vcpu,
    usdPerTaskGbHour: gb,
    // Only that of us-east-1 was found; what a million images take of it is under two cents.
    usdPerMillionQueueCalls: region === PRICES_REGION ? US_EAST_1.usdPerMillionQueueCalls : undefined,
    usdPerMillionPuts: puts,
    usdPerMillionGets: gets,
    usdPerGbMonth: gbMonth,
    usdPerGbOfLogs: LOGS[region],
  };
  const known = Object.fromEntries(Object.entries(found).filter(([, price]) => price !== undefined));
  const names = Object.keys(US_EAST_1) as PriceName[];
  const notFound = names.filter((name) => !(name in known) && !SAME_EVERYWHERE.includes(name));
  return { ...US_EAST_1, ...known, region, notFound };
}

/** The share of viewers in each area of CloudFront's prices: they add up to 1. */
export type ViewerShares = Readonly<Partial<Record<CdnArea, number>>>;

/** Where viewers are if nothing is said of it. */
export const DEFAULT_VIEWERS: ViewerShares = { us: 1 };

/** The names of areas, for messages. */
export const AREA_NAMES = Object.keys(CDN_AREAS) as readonly CdnArea[];
