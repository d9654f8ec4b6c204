import { formatMs, printLine } from './comparison.ts';

/** A line about a server under a fault or a load. */
export interface FaultLine {
  measured: string;
  comparedWith: string;
  ratio: number;
  /** What the ratio is of: own value first. */
  each: string;
  /** What the ratio, or the value, should be. */
  aim?: string;
}

const COLUMNS = ['measured', 'compared with', 'ratio', 'each', 'aim'];

export function printFaultHead(): void {
  printLine(COLUMNS);
  printLine(COLUMNS.map(() => '---'));
}

export function printFault({ measured, comparedWith, ratio, each, aim = '' }: FaultLine): void {
  printLine([measured, comparedWith, ratio.toFixed(2), each, aim]);
}

/** Prints a line that compares two times, in milliseconds: above 1, the first is longer. */
export function printTimes(
  measured: string,
  comparedWith: string,
  ms: number,
  otherMs: number,
  aim?: string,
): void {
  const each = `${formatMs(ms)}, ${formatMs(otherMs)}`;
  printFault({ measured, comparedWith, ratio: ms / otherMs, each, ...(aim !== undefined && { aim }) });
}
