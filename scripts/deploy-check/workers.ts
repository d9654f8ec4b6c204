import { counted, formatCount } from '../command/amounts.ts';
import { showNumber } from '../plan/figure.ts';
import { type Demand, planRate, planWorkers, type Workers } from '../plan/load.ts';
import { describeBeyond, describeStackOptions, stackOptionsOf } from '../plan/stack-options.ts';
import type { Finding } from './finding.ts';

/** Whether one stack can do what is meant to be prewarmed, and how it has to be deployed for that: what `plan` says, in short. */
export function checkWorkers(demand: Demand): Finding & { workers: Workers } {
  const what = 'workers';
  const workers = planWorkers(demand);
  const todo = describeBeyond(demand, workers);
  const found = describe(demand, workers);
  if (todo !== undefined) return { state: 'missing', what, found, todo, workers };
  const options = describeStackOptions(stackOptionsOf(demand, workers));
  return { state: 'ok', what, found: `${found}: ${options}`, workers };
}

function describe(demand: Demand, { concurrency, maxConcurrency }: Workers): string {
  const { unitsPerHour, imagesPerUnit, msPerImage } = demand;
  const { imagesPerSecond } = planRate(demand);
  const load = `${counted(unitsPerHour, 'unit')} an hour × ${counted(imagesPerUnit, 'image')} = ${showNumber(imagesPerSecond.value)} images a second of ${showNumber(msPerImage)} ms`;
  return `${load}: ${formatCount(concurrency.value)} workers needed, ${formatCount(maxConcurrency.value)} at most`;
}
