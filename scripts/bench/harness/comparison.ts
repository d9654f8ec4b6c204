import type { CpuTimes } from './cpu-times.ts';
import { median, print, sum, timeSeconds } from './measurements.ts';

/** What one contestant did in one round. */
export interface Round {
  requests: number;
  perSecond: number;
  /** CPU time of all requests, in milliseconds: of its process, and of the main thread alone. */
  cpuMs: number;
  mainThreadMs: number;
  /** Of all answers together. */
  bytes?: number;
  p99Ms?: number;
}

export interface Contestant {
  name: string;
  measure(round: number): Promise<Round>;
}

interface Comparison {
  measured: string;
  rounds: number;
  /** Show the time of one request instead of the rate; the ratio is that of the rates in any case. */
  asTime?: boolean;
}

/** Columns with two values have that of edgepress first, then that of the other. */
const COLUMNS = ['measured', 'compared with', 'ratio', 'each', 'bytes', 'CPU', 'main thread', 'p99'];

/** Prints the head of the table of which {@link compare} prints the lines. */
export function printTableHead(): void {
  printLine(COLUMNS);
  printLine(COLUMNS.map(() => '---'));
}

/**
 * Measures the contestants in turns, and prints a line for each but the first, which it is compared with: the median of the ratios of the
 * rates in each round (above 1, the first is faster), the median rates, the ratio of the bytes, and the times of a request.
 */
export async function compare(
  { measured, rounds, asTime = false }: Comparison,
  contestants: readonly Contestant[],
): Promise<void> {
  const results = contestants.map((): Round[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, { measure }] of contestants.entries()) results[index]?.push(await measure(round));
  }
  const [own = [], ...others] = results;
  for (const [index, other] of others.entries()) {
    const ratios = own.map(({ perSecond }, round) => perSecond / (other[round]?.perSecond ?? Number.NaN));
    const both = (value: (rounds: readonly Round[]) => string) => `${value(own)}, ${value(other)}`;
    const each = (rounds: readonly Round[]) => rate(median(rounds.map(({ perSecond }) => perSecond)), asTime);
    const p99 = (rounds: readonly Round[]) => formatMs(median(rounds.map(({ p99Ms = 0 }) => p99Ms)));
    printLine([
      measured,
      contestants[index + 1]?.name ?? '',
      median(ratios).toFixed(2),
      both(each),
      own[0]?.bytes === undefined ? '' : (bytesOf(own) / bytesOf(other)).toFixed(3),
      both((rounds) => formatMs(perRequest(rounds, 'cpuMs'))),
      both((rounds) => formatMs(perRequest(rounds, 'mainThreadMs'))),
      own[0]?.p99Ms === undefined ? '' : both(p99),
    ]);
  }
}

/** Prints a line about memory: a ratio below 1 is less. */
export function printMemory(measured: string, other: string, ownBytes: number, otherBytes: number): void {
  const each = [ownBytes, otherBytes].map((bytes) => `${Math.round(bytes / 2 ** 20)} MiB`).join(', ');
  printLine([measured, other, (ownBytes / otherBytes).toFixed(2), each, '', '', '', '']);
}

/** Times the work that answers `requests` requests, and reads the CPU time that a process spends on it. */
export async function measureRound(
  requests: number,
  cpuTimes: () => CpuTimes,
  work: () => Promise<number>,
): Promise<Round & { bytes: number }> {
  const before = cpuTimes();
  let bytes = 0;
  const seconds = await timeSeconds(async () => {
    bytes = await work();
  });
  const after = cpuTimes();
  return {
    requests,
    perSecond: requests / seconds,
    cpuMs: after.all - before.all,
    mainThreadMs: after.mainThreads - before.mainThreads,
    bytes,
  };
}

function perRequest(rounds: readonly Round[], part: 'cpuMs' | 'mainThreadMs'): number {
  return sum(rounds.map((round) => round[part])) / sum(rounds.map(({ requests }) => requests));
}

function bytesOf(rounds: readonly Round[]): number {
  return sum(rounds.map(({ bytes = Number.NaN }) => bytes));
}

function rate(perSecond: number, asTime: boolean): string {
  return asTime ? formatMs(1000 / perSecond) : `${perSecond.toFixed(perSecond < 100 ? 2 : 0)}/s`;
}

export function formatMs(ms: number): string {
  return ms < 1 ? `${(ms * 1000).toFixed(0)} µs` : `${ms.toFixed(ms < 100 ? 1 : 0)} ms`;
}

/** Prints a line of a table. */
export function printLine(cells: readonly string[]): void {
  print(`| ${cells.join(' | ')} |`);
}
