/**
 * CloudFront's list prices by where viewers are, in US dollars, without free tiers: "Amazon CloudFront pricing", pay as you go, for bytes (read
 * in November 2026); Price List API, AmazonCloudFront, Requests-Tier2-HTTPS, for requests, that of Australia excepted, which was not found.
 */

/** TB of the tiers of bytes out in a month, each on top of those before; above the last, the last price counts. */
export const TIER_TB = [10, 40, 100, 350, 524, 4000, Number.POSITIVE_INFINITY] as const;

interface AreaPrices {
  name: string;
  /** For each of the tiers. */
  usdPerGb: readonly [number, number, number, number, number, number, number];
  /** Over HTTPS. */
  usdPerMillionRequests: number;
}

export const CDN_AREAS = {
  us: {
    name: 'the United States, Canada, Mexico',
    usdPerGb: [0.085, 0.08, 0.06, 0.04, 0.03, 0.025, 0.02],
    usdPerMillionRequests: 1,
  },
  eu: {
    name: 'Europe, Israel, Türkiye',
    usdPerGb: [0.085, 0.08, 0.06, 0.04, 0.03, 0.025, 0.02],
    usdPerMillionRequests: 1.2,
  },
  af: {
    name: 'Africa and the Middle East',
    usdPerGb: [0.11, 0.105, 0.09, 0.08, 0.06, 0.05, 0.04],
    usdPerMillionRequests: 1.2,
  },
  sa: {
    name: 'South America',
    usdPerGb: [0.11, 0.105, 0.09, 0.08, 0.06, 0.05, 0.04],
    usdPerMillionRequests: 2.2,
  },
  jp: {
    name: 'Japan',
    usdPerGb: [0.114, 0.089, 0.086, 0.084, 0.08, 0.07, 0.06],
    usdPerMillionRequests: 1.2,
  },
  au: {
    name: 'Australia and New Zealand',
    usdPerGb: [0.114, 0.098, 0.094, 0.092, 0.09, 0.085, 0.08],
    // Not found: that of the rest of Asia.
    usdPerMillionRequests: 1.2,
  },
  ap: {
    name: 'Hong Kong, Indonesia, Korea, the Philippines, Singapore, Taiwan, Thailand, Malaysia, Vietnam',
    usdPerGb: [0.12, 0.1, 0.095, 0.09, 0.08, 0.07, 0.06],
    usdPerMillionRequests: 1.2,
  },
  in: {
    name: 'India',
    usdPerGb: [0.109, 0.085, 0.082, 0.08, 0.078, 0.075, 0.072],
    usdPerMillionRequests: 1.2,
  },
} as const satisfies Readonly<Record<string, AreaPrices>>;

export type CdnArea = keyof typeof CDN_AREAS;

/** Areas for which the price of a request was not found. */
export const WITHOUT_REQUEST_PRICE: readonly CdnArea[] = ['au'];

/** A million requests to Origin Shield: of Seoul $0.90 (Price List API); the others as AWS's page gives their range, $0.75 to $1.60. */
const SHIELD_USD_PER_MILLION = { us: 0.75, sa: 1.6, other: 0.9 } as const;

/** The area that a region is in, of those in which Origin Shield is. */
export function areaOfShield(region: string): CdnArea {
  if (region === 'ap-northeast-1') return 'jp';
  if (region === 'ap-southeast-2') return 'au';
  if (region === 'ap-south-1') return 'in';
  const [continent = ''] = region.split('-');
  return continent === 'eu' || continent === 'sa' || continent === 'ap' ? continent : 'us';
}

/** What a million requests to Origin Shield cost in a region. */
export function shieldUsdPerMillion(region: string): number {
  const area = areaOfShield(region);
  return area === 'us' || area === 'sa' ? SHIELD_USD_PER_MILLION[area] : SHIELD_USD_PER_MILLION.other;
}

/**
 * CloudFront's flat-rate plans, a month, for one distribution: "Amazon CloudFront pricing" and "CloudFront flat-rate pricing plans" in the
 * Developer Guide (read in October 2026). Above the allowance AWS charges nothing more, and may slow the distribution down.
 */
export const FLAT_RATE_PLANS = [
  { name: 'Free', usd: 0, millionRequests: 1, gb: 100 },
  { name: 'Pro', usd: 15, millionRequests: 10, gb: 50_000 },
  { name: 'Business', usd: 200, millionRequests: 125, gb: 50_000 },
  { name: 'Premium', usd: 1000, millionRequests: 500, gb: 50_000 },
] as const;
