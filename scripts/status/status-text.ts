import type { BrokenStatus, ImageStatus, ReadyStatus, UnitStatus } from '../../src/unit/status.ts';
import type { UnsentImage, UnsentUnit, UnsentVariant } from '../../src/unit/unsent.ts';
import { counted, formatBytes, formatShare, printable } from '../cli/text.ts';

/** The status of a unit as lines of text: a summary of all of it, then each image that is given, with its variants or its failure. */
export function formatStatus({ id, images, totals }: UnitStatus): string {
  const { ready, broken, pending, sourceBytes } = totals;
  const states = [
    ...(ready > 0 ? [`${ready} ready`] : []),
    ...(broken > 0 ? [`${broken} broken`] : []),
    ...(pending > 0 ? [`${pending} pending`] : []),
  ];
  const lines = [`${id}: ${counted(ready + broken + pending, 'image')}: ${states.join(', ')}`];
  // Not if ready images are left out: what they take now is not known here.
  if (images.some(({ state }) => state === 'ready')) {
    // A phone downloads one variant of each image: at most the largest.
    const maxBytes = images.reduce((sum, image) => sum + (image.state === 'ready' ? largestOf(image) : 0), 0);
    const savedBytes = sourceBytes - maxBytes;
    const saved = `${formatBytes(savedBytes)} saved (${formatShare(savedBytes, sourceBytes)} or more)`;
    lines.push(`  ${formatBytes(sourceBytes)} before, at most ${formatBytes(maxBytes)} now: ${saved}`);
  }
  return [...lines, ...images.flatMap(formatImage)].join('\n');
}

/** What there is of a unit that was never sent: its images by the hash of their source, as in the keys of the store. */
export function formatUnsent({ id, images }: UnsentUnit): string {
  const lines = [
    `${id}: never sent, or purged since: what viewers have asked for, of ${counted(images.length, 'image')}`,
  ];
  return [...lines, ...images.flatMap(formatUnsentImage)].join('\n');
}

function formatUnsentImage(image: UnsentImage): string[] {
  const state =
    image.state === 'broken'
      ? formatBroken(image)
      : [
          `${formatBytes(image.sourceBytes)} before`,
          ...image.variants.map((variant) => formatVariant(variant, image.sourceBytes)),
        ];
  return ['', `  source ${image.source}`, ...state.map((line) => `    ${line}`)];
}

/** The size of the largest variant of an image, in bytes. */
function largestOf({ variants }: ReadyStatus): number {
  return Math.max(0, ...variants.map(({ bytes }) => bytes));
}

function formatImage(image: ImageStatus): string[] {
  const name = image.name === undefined ? '' : `${printable(image.name)}: `;
  return ['', `  ${name}${printable(image.src)}`, ...formatState(image).map((line) => `    ${line}`)];
}

function formatState(image: ImageStatus): string[] {
  if (image.state === 'pending') return ['pending'];
  if (image.state === 'broken') return formatBroken(image);
  const { sourceBytes, variants } = image;
  return [
    `ready, ${formatBytes(sourceBytes)} before`,
    ...variants.map((variant) => formatVariant(variant, sourceBytes)),
  ];
}

function formatBroken({ code, detail, since, retryable, nextAttempt }: BrokenStatus): string[] {
  const prospect = retryable ? 'may be temporary' : 'permanent until the source changes';
  return [
    `broken: ${code}: ${printable(detail)}`,
    `since ${since}; ${prospect}; next attempt ${nextAttempt}`,
  ];
}

function formatVariant(variant: UnsentVariant & { url?: string }, sourceBytes: number): string {
  const { width, tier, format, bytes, effort, url = '' } = variant;
  const size = `${formatBytes(bytes).padStart(8)} ${formatShare(bytes, sourceBytes).padStart(6)}`;
  return `${`${width} ${tier} ${format}`.padEnd(18)} ${size}  ${effort.padEnd(4)}  ${url}`.trimEnd();
}
