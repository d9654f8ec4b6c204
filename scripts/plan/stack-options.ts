import { type Demand, memoryFor, stacksFor, type Workers } from './load.ts';

/** Options of the stack, by the names that they have there. */
export type StackOptions = Readonly<Record<string, number>>;

/** What the stack has to be deployed with for the workers to be as planned. */
export function stackOptionsOf({ memoryMb }: Pick<Demand, 'memoryMb'>, workers: Workers) {
  return { workerMaxConcurrency: workers.maxConcurrency.value, workerMemoryMb: memoryMb };
}

/** As they stand in `cdk.json`. */
export function describeStackOptions(options: StackOptions): string {
  const parts = Object.entries(options).map(([name, value]) => `"${name}": ${value}`);
  return `deploy with ${parts.join(', ')}`;
}

/** What to do about a load that no number of workers of one stack can bear; `undefined` where some can. */
export function describeBeyond(demand: Demand, workers: Workers): string | undefined {
  const stacks = stacksFor(workers);
  if (stacks === 1) return undefined;
  const memoryMb = memoryFor(demand);
  const larger = memoryMb > demand.memoryMb ? `"workerMemoryMb": ${memoryMb} (--memory), or ` : '';
  return `beyond one stack: ${larger}${stacks} stacks, each with its share of the units and executions of its own`;
}
