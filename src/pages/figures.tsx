/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */

const KB = 1000;

/** Formats a number of bytes in kB of 1,000 or MB of a million: two or three digits that matter. */
export function formatBytes(bytes: number): string {
  const [amount, unit] = bytes < 999_950 ? [bytes / KB, 'kB'] : [bytes / KB / KB, 'MB'];
  return `${amount.toFixed(amount < 100 ? 1 : 0)} ${unit}`;
}

/** Formats by how much the second amount is less than the first: `93%`. `undefined` if it is not less. */
export function formatSaving(before: number, after: number): string | undefined {
  if (after >= before || before <= 0) return undefined;
  // Never 100%: something is left.
  return `${Math.min(99.9, Math.round((1000 * (before - after)) / before) / 10)}%`;
}

/** Formats a number with what is counted: `1 image`, `2,000 images`. */
export function formatCount(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
] as const;
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** Formats a time as it is from now: `in 4 minutes`, `2 days ago`. */
export function formatRelative(timeMs: number, nowMs: number): string {
  const difference = timeMs - nowMs;
  const [unit, ms] = UNITS.find(([, each]) => Math.abs(difference) >= each) ?? ['second', 1000];
  return RELATIVE.format(Math.trunc(difference / ms), unit);
}

/** A time, to the minute, and how far it is from now. */
export function Time({ iso, nowMs }: { iso: string; nowMs: number }) {
  return (
    <time datetime={iso} title={iso}>
      {iso.slice(0, 16).replace('T', ' ')} UTC ({formatRelative(Date.parse(iso), nowMs)})
    </time>
  );
}
