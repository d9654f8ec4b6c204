import type { ImageStatus, ReadyStatus, StoredVariant, UnitStatus } from '../src/unit/status.ts';
import { counted, formatBytes, formatShare, printable } from './command/amounts.ts';

/** What is known of a unit, for people. */
export function describeStatus({ id, images, totals }: UnitStatus): string {
  const { ready, broken, pending, sourceBytes } = totals;
  const states = [
    ...(ready > 0 ? [`${ready} ready`] : []),
    ...(broken > 0 ? [`${broken} broken`] : []),
    ...(pending > 0 ? [`${pending} pending`] : []),
  ];
  const lines = [`${id}: ${counted(images.length, 'image')}: ${states.join(', ')}`];
  if (ready > 0) {
    // Whichever variant of an image a phone gets, it is no larger than this.
    const most = images.reduce((sum, image) => sum + (image.state === 'ready' ? largestOf(image) : 0), 0);
    const saved = `${formatBytes(sourceBytes - most)} saved (${formatShare(sourceBytes - most, sourceBytes)} or more)`;
    lines.push(`  ${formatBytes(sourceBytes)} before, at most ${formatBytes(most)} now: ${saved}`);
  }
  return [...lines, ...images.flatMap(describeImage)].join('\n');
}

function largestOf({ variants }: ReadyStatus): number {
  return Math.max(0, ...variants.map(({ bytes }) => bytes));
}

function describeImage(image: ImageStatus): string[] {
  const name = image.name === undefined ? '' : `${printable(image.name)}: `;
  return ['', `  ${name}${printable(image.src)}`, ...describeState(image).map((line) => `    ${line}`)];
}

function describeState(image: ImageStatus): string[] {
  if (image.state === 'pending') return ['pending'];
  if (image.state === 'broken') {
    const { code, detail, since, retryable, nextAttempt } = image;
    const hope = retryable ? 'may pass by itself' : 'will not pass by itself';
    return [`broken: ${code}: ${printable(detail)}`, `since ${since}; ${hope}; next attempt ${nextAttempt}`];
  }
  const { sourceBytes, variants } = image;
  return [
    `ready, ${formatBytes(sourceBytes)} before`,
    ...variants.map((one) => describeVariant(one, sourceBytes)),
  ];
}

function describeVariant(variant: StoredVariant, sourceBytes: number): string {
  const { width, tier, format, bytes, effort, url } = variant;
  const size = `${formatBytes(bytes).padStart(8)} ${formatShare(bytes, sourceBytes).padStart(6)}`;
  return `${`${width} ${tier} ${format}`.padEnd(18)} ${size}  ${effort.padEnd(4)}  ${url}`;
}
