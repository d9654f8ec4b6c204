import { median, sum } from '../harness/measurements.ts';
import type { Answer } from './measure.ts';

/** Whether an answer breaks the rule: it is larger than an original that the client displays. */
export function isLarger({ bytes, originalBytes, isDisplayed }: Answer): boolean {
  return isDisplayed && bytes > originalBytes;
}

const HEAD =
  'format tier      width effort  answers  larger  originals  undisplayed larger  of originals  lost score  p10 lost   CPU ms';

/** A line for each format, tier, width and effort, for each kind of original, and one for all. */
export function formatTable(answers: readonly Answer[]): string[] {
  const byRequest = groups(
    answers,
    ({ format, tier, width, effort }) =>
      `${format.padEnd(6)} ${tier.padEnd(9)} ${String(width).padStart(5)} ${effort.padEnd(6)}`,
  );
  const byKind = groups(answers, ({ kind, effort }) => `${kind.padEnd(22)} ${effort.padEnd(6)}`);
  const all = groups(answers, ({ effort }) => `${'all'.padEnd(22)} ${effort.padEnd(6)}`);
  return [HEAD, ...[...byRequest, ...byKind, ...all].map(([name, group]) => line(name, group))];
}

function groups(answers: readonly Answer[], nameOf: (answer: Answer) => string): Map<string, Answer[]> {
  const result = new Map<string, Answer[]>();
  for (const answer of answers) {
    const name = nameOf(answer);
    result.set(name, [...(result.get(name) ?? []), answer]);
  }
  return result;
}

function line(name: string, group: readonly Answer[]): string {
  const undisplayed = group.filter(
    ({ isDisplayed, bytes, originalBytes }) => !isDisplayed && bytes > originalBytes,
  );
  const lost = group.map(({ score, originalScore }) => originalScore - score).toSorted((a, b) => a - b);
  return [
    name,
    String(group.length).padStart(8),
    String(group.filter(isLarger).length).padStart(7),
    String(group.filter(({ isOriginal }) => isOriginal).length).padStart(10),
    String(undisplayed.length).padStart(19),
    ratio(group).toFixed(3).padStart(13),
    median(lost).toFixed(1).padStart(11),
    (lost[Math.floor(lost.length * 0.9)] ?? Number.NaN).toFixed(1).padStart(9),
    (sum(group.map(({ cpuMs }) => cpuMs)) / group.length).toFixed(0).padStart(8),
  ].join(' ');
}

/** The bytes of the answers relative to those of the originals, each original with the same weight. */
function ratio(group: readonly Answer[]): number {
  return Math.exp(
    sum(group.map(({ bytes, originalBytes }) => Math.log(bytes / originalBytes))) / group.length,
  );
}
