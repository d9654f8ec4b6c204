import { showNumber, showUsd, usd } from './figure.ts';
import { HOURS_PER_MONTH, MILLION } from './limits.ts';
import type { Plan } from './plan.ts';
import { PRICE_NAMES, PRICES } from './prices.ts';
import { layOut, showArithmetic } from './table.ts';

export function describeCost({ cost, load }: Plan): string[] {
  const rows = Object.values(cost).map((line) => [
    line.label,
    showUsd(line.value),
    showUsd(line.usdPerMillionImages),
    showUsd(line.usdPerMonth),
    showArithmetic(line),
  ]);
  return [
    'Cost',
    ...layOut(
      [['', 'an hour', 'a million images', 'a month', "= an hour's"], ...rows],
      ['text', 'number', 'number', 'number', 'text'],
    ),
    `  a million images = an hour × ${showNumber(MILLION)} ÷ ${showNumber(load.imagesPerHour.value)} images; a month = an hour × ${HOURS_PER_MONTH}, if the load never ends`,
    '  Not in it: logs and alarms, what viewers ask for that was not prewarmed, free tiers, taxes.',
  ];
}

export function describePrices(): string[] {
  const rows = Object.entries(PRICE_NAMES).map(([name, what]) => [
    usd(PRICES[name as keyof typeof PRICE_NAMES]).text,
    what,
  ]);
  return [`Prices (${PRICES.region}, ${PRICES.date})`, ...layOut(rows, ['number', 'text'])];
}
