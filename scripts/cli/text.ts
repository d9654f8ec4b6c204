const BYTE_UNITS = ['kB', 'MB', 'GB', 'TB'];

/** `61.4 kB`: decimal units, as in mobile contracts. */
export function formatBytes(bytes: number): string {
  if (Math.abs(bytes) < 1000) return `${bytes} B`;
  let amount = bytes / 1000;
  let unit = 0;
  // What would be rounded to 1000.0 goes to the next unit.
  while (Math.abs(amount) >= 999.95 && unit < BYTE_UNITS.length - 1) {
    amount /= 1000;
    unit++;
  }
  const text = amount.toLocaleString('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  return `${text} ${BYTE_UNITS[unit]}`;
}

/** `12,345` */
export function formatCount(count: number): string {
  return count.toLocaleString('en');
}

/** `1 unit`, `2,000 units`. */
export function counted(count: number, singular: string): string {
  return `${formatCount(count)} ${singular}${count === 1 ? '' : 's'}`;
}

/** `4.1%`, or `–` when the whole is 0. */
export function formatShare(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)}%`;
}

/** `under 0.1 s`, `4.5 s`, `45 s`, `3 min 12 s`, `2 h 5 min`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (seconds < 0.05) return 'under 0.1 s';
  if (whole < 10) return `${seconds.toFixed(1)} s`;
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const minutes = Math.round(seconds / 60);
  return `${formatCount(Math.floor(minutes / 60))} h ${minutes % 60} min`;
}

/**
 * Makes untrusted text safe to print: control characters, which a terminal obeys, invisible formatting characters, line separators
 * and lone surrogates become U+FFFD.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '\uFFFD');
}

/** A column of text, or of right-aligned numbers. */
export type Column = 'text' | 'number';

/** Formats rows of cells as lines: each column as wide as its widest cell, without trailing spaces. */
export function formatTable(rows: readonly (readonly string[])[], columns: readonly Column[]): string[] {
  const widths = columns.map((_column, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  return rows.map((row) => {
    const cells = columns.map((column, index) => {
      const cell = row[index] ?? '';
      const width = widths[index] ?? 0;
      return column === 'number' ? cell.padStart(width) : cell.padEnd(width);
    });
    return `  ${cells.join('  ')}`.trimEnd();
  });
}
