import {
  counted,
  formatBytes,
  formatCount,
  formatDuration,
  formatShare,
  formatTable,
  printable,
} from '../cli/text.ts';
import type { BrokenReason, Counts, RefusedInput, Totals, VariantKind } from './totals.ts';

const SHOWN_REASONS = 20;
const MAX_DETAIL_LENGTH = 200;

/**
 * The summary that is printed at the end of a prewarm run.
 *
 * @param run.queued - how much was put on the queue, when the units were not followed
 * @param run.mobileUsdPerGb - what mobile data costs a contractor
 */
export function formatSummary(
  totals: Totals,
  run: {
    seconds: number;
    queued?: { units: number; images: number } | undefined;
    mobileUsdPerGb: number;
  },
): string {
  const { counts } = totals;
  const { seconds, queued, mobileUsdPerGb } = run;
  const sections = [
    [queued ? formatQueued(queued, counts, seconds) : formatImages(counts, seconds)],
    formatSizes(counts, totals.kinds),
    formatDownloads(counts, mobileUsdPerGb),
    formatBroken(totals.brokenReasons()),
    formatRefusals(counts.refused, totals.refusals),
  ];
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n');
}

function formatQueued(
  { units, images }: { units: number; images: number },
  { refused }: Counts,
  seconds: number,
): string {
  const lines = refused > 0 ? `; ${counted(refused, 'line')} refused` : '';
  return `${counted(units, 'unit')} with ${counted(images, 'image')} put on the queue in ${formatDuration(seconds)}${lines}`;
}

function formatImages(counts: Counts, seconds: number): string {
  const { units, purged, ready, skipped, broken, pending, refused } = counts;
  const states = [
    `${formatCount(ready)} ready${skipped > 0 ? ` (${formatCount(skipped)} skipped: already made)` : ''}`,
    ...(broken > 0 ? [`${formatCount(broken)} broken`] : []),
    ...(pending > 0 ? [`${formatCount(pending)} pending`] : []),
  ];
  const gone = purged > 0 ? `, ${counted(purged, 'unit')} purged meanwhile` : '';
  const lines = refused > 0 ? `; ${counted(refused, 'line')} refused` : '';
  const images = `${counted(ready + broken + pending, 'image')}: ${states.join(', ')}`;
  return `${counted(units, 'unit')} in ${formatDuration(seconds)}, ${images}${gone}${lines}`;
}

function formatSizes({ ready, sourceBytes, savedBytes }: Counts, kinds: readonly VariantKind[]): string[] {
  if (ready === 0) return [];
  const rows = kinds.map(({ width, tier, format, images, bytes, sourceBytes: before }) => [
    `${width} ${tier} ${format}`,
    formatBytes(bytes),
    `${formatShare(bytes, before)} of the originals${images === ready ? '' : ` of ${counted(images, 'image')}`}`,
  ]);
  return formatRows([
    ['originals', formatBytes(sourceBytes), ''],
    ...rows,
    // A phone that gets a smaller variant than the largest saves more.
    ['saved', formatBytes(savedBytes), `${formatShare(savedBytes, sourceBytes)} or more`],
  ]);
}

/** A common connection where mobile data is expensive: 400 kbit/s, in bytes a second. */
const SLOW_BYTES_PER_SECOND = 400_000 / 8;

/** What it costs a contractor to view every image once: at most the largest variant of each is downloaded. */
function formatDownloads({ ready, sourceBytes, savedBytes }: Counts, usdPerGb: number): string[] {
  if (ready === 0) return [];
  const rowOf = (name: string, bytes: number) => {
    const money = `$${((bytes / 1e9) * usdPerGb).toFixed(2)} at $${usdPerGb} a GB`;
    return [
      name,
      formatBytes(bytes),
      `${formatDuration(bytes / SLOW_BYTES_PER_SECOND)} at 400 kbit/s, ${money}`,
    ];
  };
  return [
    'Mobile data to view every image once:',
    ...formatRows([rowOf('originals', sourceBytes), rowOf('variants, at most', sourceBytes - savedBytes)]),
  ];
}

function formatBroken(reasons: readonly BrokenReason[]): string[] {
  if (reasons.length === 0) return [];
  const shown = reasons.slice(0, SHOWN_REASONS);
  const rest = reasons.slice(SHOWN_REASONS).reduce((sum, { images }) => sum + images, 0);
  return [
    'Broken, by reason and host:',
    ...formatRows(shown.map(({ code, host, images }) => [code, formatCount(images), printable(host)])),
    ...(rest > 0 ? [`  … and ${formatCount(rest)} for other reasons or on other hosts`] : []),
  ];
}

function formatRefusals(refused: number, first: readonly RefusedInput[]): string[] {
  if (refused === 0) return [];
  const rest = refused - first.length;
  return [
    'Refused:',
    ...first.map(({ file, line, detail }) => {
      const shown = detail.length > MAX_DETAIL_LENGTH ? `${detail.slice(0, MAX_DETAIL_LENGTH)}…` : detail;
      return `  ${file === undefined ? '' : `${printable(file)}, `}line ${line}: ${printable(shown)}`;
    }),
    ...(rest > 0 ? [`  … and ${counted(rest, 'line')} more`] : []),
  ];
}

/** Aligns rows of a name, an amount and a note. */
function formatRows(rows: readonly (readonly string[])[]): string[] {
  return formatTable(rows, ['text', 'number', 'text']);
}
