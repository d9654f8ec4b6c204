import { areaOfShield, FLAT_RATE_PLANS, shieldUsdPerMillion } from './cdn-prices.ts';
import { sharesOf } from './egress.ts';
import { dollars, type Figure, figure, formatPercent, formatPrice, show, totalDollars } from './figure.ts';
import type { PlanInputs } from './inputs.ts';
import { HOURS_PER_MONTH, MILLION, SECONDS_PER_HOUR } from './limits.ts';
import type { Views } from './views.ts';

/** A flat-rate plan of CloudFront beside a month of this load. */
export interface FlatRatePlan {
  name: string;
  usd: Figure;
  /** Of its allowance that the load needs: above 1 it does not fit. */
  requestShare: Figure;
  byteShare: Figure;
  fits: boolean;
}

/** Compares a month of views by pay-as-you-go with the flat-rate plans, each for one distribution. */
export function compareFlatRates(
  { viewsPerHour, outGbPerHour }: Views,
  viewing: { requests: Figure; edge: Figure; keys: Figure; egress: Figure },
) {
  const hours = [viewing.requests, viewing.edge, viewing.keys, viewing.egress];
  const hour = totalDollars('CloudFront an hour', hours);
  const payAsYouGo = dollars(
    'pay as you go, a month',
    hour.value * HOURS_PER_MONTH,
    `(${hour.arithmetic}) × ${HOURS_PER_MONTH} h`,
  );
  const plans = FLAT_RATE_PLANS.map(({ name, usd, millionRequests, gb }): FlatRatePlan => {
    const requestShare = figure(
      `of its requests (${name})`,
      (viewsPerHour.value * HOURS_PER_MONTH) / (millionRequests * MILLION),
      `${show(viewsPerHour)} views × ${HOURS_PER_MONTH} h ÷ ${show(millionRequests * MILLION)}`,
    );
    const byteShare = figure(
      `of its bytes (${name})`,
      (outGbPerHour.value * HOURS_PER_MONTH) / gb,
      `${show(outGbPerHour)} GB × ${HOURS_PER_MONTH} h ÷ ${show(gb)} GB`,
    );
    const fits = requestShare.value <= 1 && byteShare.value <= 1;
    return { name, usd: dollars(`${name}, a month`, usd, formatPrice(usd)), requestShare, byteShare, fits };
  });
  return { payAsYouGo, plans };
}

export type FlatRates = ReturnType<typeof compareFlatRates>;

/**
 * What Origin Shield costs and saves. A request of another area goes to it on top of the caches that it passes anyway, and is charged; at most
 * it is then answered from there instead of from S3, or by a run of the image function where prewarm has not made the variant.
 */
export function adviseOnShield(inputs: PlanInputs, { viewsPerSecond, fromStorePerSecond }: Views) {
  const { shieldRegion, prices, cdnHitShare, earlyViewShare } = inputs;
  const area = areaOfShield(shieldRegion);
  const near = sharesOf(inputs).find(([one]) => one === area)?.[1] ?? 0;
  const price = shieldUsdPerMillion(shieldRegion);
  const passing = figure(
    'requests an hour that go to it from afar',
    fromStorePerSecond.value * SECONDS_PER_HOUR * (1 - near),
    `${show(fromStorePerSecond)} views/s × ${show(SECONDS_PER_HOUR)} s × (100% − ${formatPercent(near)} of viewers near ${shieldRegion.replaceAll(/-\d/g, '')})`,
  );
  const charged = dollars(
    'it costs, an hour',
    (passing.value * price) / MILLION,
    `${show(passing)} × ${formatPrice(price)} ÷ ${show(MILLION)}`,
  );
  const savedGets = dollars(
    'it saves gets of S3, at most',
    (passing.value * prices.usdPerMillionGets) / MILLION,
    `${show(passing)} × ${formatPrice(prices.usdPerMillionGets)} ÷ ${show(MILLION)}`,
  );
  const missShare = Math.min(1, cdnHitShare < 1 ? earlyViewShare / (1 - cdnHitShare) : 0);
  const runUsd = (FIRST_VIEW_SECONDS * prices.usdPerGbSecond * FIRST_VIEW_MB) / 1024;
  const runPrice = dollars(
    'a million first views cost',
    MILLION * runUsd,
    `${show(MILLION)} × ${FIRST_VIEW_SECONDS} s × ${show(FIRST_VIEW_MB)} MB ÷ 1,024 × ${formatPrice(prices.usdPerGbSecond)}`,
  );
  const savedRuns = dollars(
    'it saves runs of the image function, at most',
    (passing.value * missShare * runPrice.value) / MILLION,
    `${show(passing)} × ${formatPercent(missShare)} before their image is made × ${show(runPrice)} ÷ ${show(MILLION)}`,
  );
  const net = dollars(
    'net, an hour',
    savedGets.value + savedRuns.value - charged.value,
    `${show(savedGets)} + ${show(savedRuns)} − ${show(charged)}`,
  );
  const isWorthIt = viewsPerSecond.value > 0 && net.value > 0;
  return { figures: { passing, charged, savedGets, runPrice, savedRuns, net }, isWorthIt };
}

/** A first view: one variant of effort `fast` in the image function, of the size that it has by default. */
const FIRST_VIEW_SECONDS = 0.3;
const FIRST_VIEW_MB = 1769;

export type ShieldAdvice = ReturnType<typeof adviseOnShield>;
