import type { Settings } from '../../infra/settings.ts';
import { formatCount } from '../cli/text.ts';
import type { Plan } from './calculate.ts';
import { CDN_AREAS, WITHOUT_REQUEST_PRICE } from './cdn-prices.ts';
import { sharesOf } from './egress.ts';
import { PRICE_NAMES, PRICES_REGION } from './prices.ts';
import { loadWarnings } from './quotas.ts';

/** What an operator has to know before the figures are believed: what will not work, what differs from the stack, what was not found. */
export function planWarnings(plan: Plan, settings: Settings): string[] {
  return [...loadWarnings(plan), ...stackWarnings(plan, settings), ...priceWarnings(plan)];
}

/** Where the stack as it is deployed has less than the plan needs. */
function stackWarnings({ inputs, workers, stackOptions }: Plan, settings: Settings): string[] {
  const { workerMaxConcurrency, workerMemoryMb, fargateMaxTasks } = settings;
  const warnings: string[] = [];
  const less = (name: string, has: number, needs: number) =>
    has < needs &&
    warnings.push(
      `The options of the stack have "${name}": ${formatCount(has)}, and the plan ${formatCount(needs)}: change them.`,
    );
  if (workers.maxContainers) less('fargateMaxTasks', fargateMaxTasks ?? 0, workers.maxContainers.value);
  else {
    less('workerMaxConcurrency', workerMaxConcurrency, stackOptions['workerMaxConcurrency'] ?? 0);
    less('workerMemoryMb', workerMemoryMb, inputs.memoryMb);
  }
  return warnings;
}

/** Prices that were not found, and what stands for them. */
function priceWarnings({ inputs }: Plan): string[] {
  const { region, notFound } = inputs.prices;
  const warnings: string[] = [];
  if (notFound.length > 0)
    warnings.push(
      `Of ${region} these prices were not found, and those of ${PRICES_REGION} are taken: ${notFound.map((name) => PRICE_NAMES[name].what).join('; ')}.`,
    );
  for (const [area] of sharesOf(inputs))
    if (WITHOUT_REQUEST_PRICE.includes(area))
      warnings.push(
        `The price of CloudFront's requests was not found for ${CDN_AREAS[area].name}: that of the rest of Asia is taken.`,
      );
  return warnings;
}
