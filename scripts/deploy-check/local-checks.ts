import packageJson from '../../package.json' with { type: 'json' };
import { counted, formatCount } from '../cli/text.ts';
import { formatNumber } from '../plan/figure.ts';
import {
  adviceBeyondOneStack,
  calculateImageRate,
  calculateWorkers,
  formatStackOptions,
  type WorkerDemand,
  type Workers,
  workerStackOptions,
} from '../plan/load.ts';

/** The result of one check. */
export interface Finding {
  state: 'ok' | 'missing' | 'not checked';
  /** What was checked. */
  what: string;
  found: string;
  /** What to do about it. */
  todo?: string;
}

/** A line for a finding, and below it what to do. */
export function formatFinding({ state, what, found, todo }: Finding): string {
  const line = `${state.padEnd(11)}  ${what.padEnd(18)}  ${found}`;
  return todo === undefined ? line : `${line}\n${' '.repeat(33)}→ ${todo}`;
}

/** Checks that this version of Node is supported by the project. */
export function checkNode(): Finding {
  const found = process.versions.node;
  const wanted = packageJson.engines.node.replace('>=', '');
  const isSupported = found.localeCompare(wanted, 'en', { numeric: true }) >= 0;
  return isSupported
    ? { state: 'ok', what: 'Node', found }
    : { state: 'missing', what: 'Node', found, todo: `install Node ${wanted} or later` };
}

/** Checks that the workers of one stack can prewarm the load, and says with which options to deploy it: what `plan` says, in short. */
export function checkWorkers(demand: WorkerDemand): Finding & { workers: Workers } {
  const what = 'workers';
  const workers = calculateWorkers(demand);
  const todo = adviceBeyondOneStack(demand, workers);
  const found = formatDemand(demand, workers);
  if (todo !== undefined) return { state: 'missing', what, found, todo, workers };
  const options = formatStackOptions(workerStackOptions(demand, workers));
  return { state: 'ok', what, found: `${found}: ${options}`, workers };
}

function formatDemand(demand: WorkerDemand, { concurrency, maxConcurrency }: Workers): string {
  const { unitsPerHour, imagesPerUnit, msPerImage } = demand;
  const { imagesPerSecond } = calculateImageRate(demand);
  const load = `${counted(unitsPerHour, 'unit')} an hour × ${counted(imagesPerUnit, 'image')} = ${formatNumber(imagesPerSecond.value)} images a second of ${formatNumber(msPerImage)} ms`;
  return `${load}: ${formatCount(concurrency.value)} workers needed, ${formatCount(maxConcurrency.value)} at most`;
}
