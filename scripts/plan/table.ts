import { formatDuration } from '../cli/text.ts';
import { type Figure, formatNumber, formatUsd } from './figure.ts';

/** A column of text, or of right-aligned numbers. */
export type Column = 'text' | 'number';

const GAP = '  ';

/** Formats rows of cells as lines: each column as wide as its widest cell, without trailing spaces. */
export function formatTable(rows: readonly (readonly string[])[], columns: readonly Column[]): string[] {
  const widths = columns.map((_column, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  return rows.map((row) => {
    const cells = columns.map((column, index) => {
      const cell = row[index] ?? '';
      const width = widths[index] ?? 0;
      return column === 'number' ? cell.padStart(width) : cell.padEnd(width);
    });
    return `${GAP}${cells.join(GAP)}`.trimEnd();
  });
}

/** A line a figure: label, value and formula. */
export function formatFigures(figures: Readonly<Record<string, Figure>>): string[] {
  const rows = Object.values(figures).map((one) => [one.label, formatValue(one), formatFormula(one)]);
  return formatTable(rows, ['text', 'number', 'text']);
}

/** The value of a figure with its unit. */
export function formatValue({ value, unit }: Pick<Figure, 'value' | 'unit'>): string {
  if (unit === '$') return formatUsd(value);
  if (unit === 's' && value >= 60) return formatDuration(value);
  return unit === '' ? formatNumber(value) : `${formatNumber(value)} ${unit}`;
}

/** `= 1,389 images/s × 0.35 s`; of a figure that is not calculated, only the reason for its value. */
export function formatFormula({ value, arithmetic }: Figure): string {
  const valueFirst = `${formatNumber(value)}, `;
  return arithmetic.startsWith(valueFirst) ? arithmetic.slice(valueFirst.length) : `= ${arithmetic}`;
}
