import {
  counted,
  formatBytes,
  formatCount,
  formatDuration,
  formatShare,
  printable,
} from '../command/amounts.ts';
import type { Counts, Kind, Reason, RefusedInput, Tally } from './tally.ts';

const SHOWN_REASONS = 20;
const MAX_DETAIL = 200;

/**
 * What is said at the end of a run of prewarm.
 *
 * @param run.queued - what was put on the queue, if that is all that the run did
 * @param run.mobileUsdPerGb - what a contractor pays
 */
export function describeRun(
  tally: Tally,
  run: {
    seconds: number;
    queued?: { units: number; images: number } | undefined;
    mobileUsdPerGb: number;
  },
): string {
  const { counts } = tally;
  const { seconds, queued, mobileUsdPerGb } = run;
  const parts = [
    [queued ? describeQueued(queued, counts, seconds) : describeImages(counts, seconds)],
    describeBytes(counts, tally.kinds),
    describeDownloads(counts, mobileUsdPerGb),
    describeBroken(tally.brokenBy()),
    describeRefusals(counts.refused, tally.refusals),
  ];
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function describeQueued(
  { units, images }: { units: number; images: number },
  { refused }: Counts,
  seconds: number,
): string {
  const lines = refused > 0 ? `; ${counted(refused, 'line')} refused` : '';
  return `${counted(units, 'unit')} with ${counted(images, 'image')} put on the queue in ${formatDuration(seconds)}${lines}`;
}

function describeImages(counts: Counts, seconds: number): string {
  const { units, purged, ready, skipped, broken, pending, refused } = counts;
  const states = [
    `${formatCount(ready)} ready${skipped > 0 ? ` (${formatCount(skipped)} skipped: they were there)` : ''}`,
    ...(broken > 0 ? [`${formatCount(broken)} broken`] : []),
    ...(pending > 0 ? [`${formatCount(pending)} pending`] : []),
  ];
  const gone = purged > 0 ? `, ${counted(purged, 'unit')} purged meanwhile` : '';
  const lines = refused > 0 ? `; ${counted(refused, 'line')} refused` : '';
  const images = `${counted(ready + broken + pending, 'image')}: ${states.join(', ')}`;
  return `${counted(units, 'unit')} in ${formatDuration(seconds)}, ${images}${gone}${lines}`;
}

function describeBytes({ ready, sourceBytes, savedBytes }: Counts, kinds: readonly Kind[]): string[] {
  if (ready === 0) return [];
  const rows = kinds.map(({ width, tier, format, images, bytes, sourceBytes: before }) => [
    `${width} ${tier} ${format}`,
    formatBytes(bytes),
    `${formatShare(bytes, before)} of the originals${images === ready ? '' : ` of ${counted(images, 'image')}`}`,
  ]);
  return table([
    ['originals', formatBytes(sourceBytes), ''],
    ...rows,
    // Whichever variant a phone gets, it is at least this.
    ['saved', formatBytes(savedBytes), `${formatShare(savedBytes, sourceBytes)} or more`],
  ]);
}

/** A connection that is common where data are dear, in bytes a second. */
const SLOW_BYTES_A_SECOND = 400_000 / 8;

/** What looking at all of it costs a contractor, who gets the largest variant of each image at most. */
function describeDownloads({ ready, sourceBytes, savedBytes }: Counts, usdPerGb: number): string[] {
  if (ready === 0) return [];
  const rowOf = (name: string, bytes: number) => {
    const money = `$${((bytes / 1e9) * usdPerGb).toFixed(2)} at $${usdPerGb} a GB`;
    return [
      name,
      formatBytes(bytes),
      `${formatDuration(bytes / SLOW_BYTES_A_SECOND)} at 400 kbit/s, ${money}`,
    ];
  };
  return [
    'To whoever looks at all of it, once:',
    ...table([rowOf('originals', sourceBytes), rowOf('variants, at most', sourceBytes - savedBytes)]),
  ];
}

function describeBroken(reasons: readonly Reason[]): string[] {
  if (reasons.length === 0) return [];
  const shown = reasons.slice(0, SHOWN_REASONS);
  const rest = reasons.slice(SHOWN_REASONS).reduce((sum, { images }) => sum + images, 0);
  return [
    'Broken, by reason and host:',
    ...table(shown.map(({ code, host, images }) => [code, formatCount(images), printable(host)])),
    ...(rest > 0 ? [`  … and ${formatCount(rest)} for other reasons or at other hosts`] : []),
  ];
}

function describeRefusals(refused: number, first: readonly RefusedInput[]): string[] {
  if (refused === 0) return [];
  const rest = refused - first.length;
  return [
    'Refused:',
    ...first.map(({ file, line, detail }) => {
      const shown = detail.length > MAX_DETAIL ? `${detail.slice(0, MAX_DETAIL)}…` : detail;
      return `  ${file === undefined ? '' : `${printable(file)}, `}line ${line}: ${printable(shown)}`;
    }),
    ...(rest > 0 ? [`  … and ${counted(rest, 'line')} more`] : []),
  ];
}

/** Rows of a name, an amount, and what there is to say of it. */
function table(rows: readonly (readonly [string, string, string] | readonly string[])[]): string[] {
  const widthOf = (column: number) => Math.max(...rows.map((row) => row[column]?.length ?? 0));
  const [names, amounts] = [widthOf(0), widthOf(1)];
  return rows.map(([name = '', amount = '', note = '']) =>
    `  ${name.padEnd(names)}  ${amount.padStart(amounts)}  ${note}`.trimEnd(),
  );
}
