import { CDN_AREAS, type CdnArea, TIER_TB } from './cdn-prices.ts';
import { dollars, type Figure, figure, formatPercent, formatPrice, show } from './figure.ts';
import type { PlanInputs } from './inputs.ts';
import { HOURS_PER_MONTH } from './limits.ts';

const GB_PER_TB = 1000;

type EgressInputs = Pick<PlanInputs, 'viewers' | 'usdPerGbOut'>;

/** The areas in which viewers are, and the share of each. */
export function sharesOf({ viewers }: Pick<PlanInputs, 'viewers'>): [area: CdnArea, share: number][] {
  const shares = Object.entries(viewers) as [CdnArea, number][];
  return shares.filter(([, share]) => share > 0);
}

/**
 * What the bytes out of the CDN cost in an hour of a month of such hours. CloudFront counts its tiers by the month, and for each area.
 *
 * @returns `egress`: dollars an hour. `usdPerNextGb`: what one GB more costs, which is what a GB fewer saves
 */
export function calculateEgress(inputs: EgressInputs, outGbPerHour: Figure) {
  const { usdPerGbOut } = inputs;
  const labels = { egress: 'bytes out', next: 'price of a GB more out of the CDN' };
  if (usdPerGbOut !== undefined)
    return {
      egress: dollars(
        labels.egress,
        outGbPerHour.value * usdPerGbOut,
        `${show(outGbPerHour)} GB × ${formatPrice(usdPerGbOut)}`,
      ),
      usdPerNextGb: dollars(
        labels.next,
        usdPerGbOut,
        `${formatPrice(usdPerGbOut)}, as --egress-usd-per-gb says`,
      ),
    };
  const gbPerMonth = outGbPerHour.value * HOURS_PER_MONTH;
  const areas = sharesOf(inputs).map(([area, share]) => ({
    share,
    ...costOfMonth(gbPerMonth * share, CDN_AREAS[area].usdPerGb),
  }));
  const sum = (of: (area: (typeof areas)[number]) => number) =>
    areas.reduce((total, area) => total + of(area), 0);
  return {
    egress: dollars(
      labels.egress,
      sum(({ usd }) => usd) / HOURS_PER_MONTH,
      `(${areas.map(({ arithmetic }) => arithmetic).join(' + ')}) a month ÷ ${HOURS_PER_MONTH} h`,
    ),
    usdPerNextGb: dollars(
      labels.next,
      sum(({ share, usdPerNextGb }) => share * usdPerNextGb),
      areas
        .map(({ share, usdPerNextGb }) => `${formatPercent(share)} × ${formatPrice(usdPerNextGb)}`)
        .join(' + '),
    ),
  };
}

/** The bytes of a month in one area, at the price of each tier. */
function costOfMonth(gb: number, prices: readonly number[]) {
  let left = gb;
  let usd = 0;
  let usdPerNextGb = 0;
  const parts: string[] = [];
  for (const [tier, tb] of TIER_TB.entries()) {
    const inTier = Math.min(left, tb * GB_PER_TB);
    usdPerNextGb = prices[tier] ?? 0;
    usd += inTier * usdPerNextGb;
    parts.push(`${show(inTier)} GB × ${formatPrice(usdPerNextGb)}`);
    left -= inTier;
    if (left <= 0 && inTier < tb * GB_PER_TB) break;
  }
  return { usd, usdPerNextGb, arithmetic: parts.join(' + ') };
}

/** What a million requests cost, by where viewers are. */
export function calculateViewPrice(inputs: Pick<PlanInputs, 'viewers'>): Figure {
  const shares = sharesOf(inputs).map(
    ([area, share]) => [share, CDN_AREAS[area].usdPerMillionRequests] as const,
  );
  return figure(
    'price of a million requests',
    shares.reduce((sum, [share, price]) => sum + share * price, 0),
    shares.map(([share, price]) => `${formatPercent(share)} × ${formatPrice(price)}`).join(' + '),
    '$',
  );
}
