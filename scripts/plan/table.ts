import { formatDuration } from '../command/amounts.ts';
import { type Figure, showNumber, showUsd } from './figure.ts';

/** A column of text, or of numbers, which stand at its right side. */
export type Column = 'text' | 'number';

const GAP = '  ';

/** Lines of cells, each column as wide as its widest cell. The last one, if it is text, is as long as it is. */
export function layOut(rows: readonly (readonly string[])[], columns: readonly Column[]): string[] {
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

/** What a figure comes to, with its unit. */
export function showValue({ value, unit }: Pick<Figure, 'value' | 'unit'>): string {
  if (unit === '$') return showUsd(value);
  if (unit === 's' && value >= 60) return formatDuration(value);
  return unit === '' ? showNumber(value) : `${showNumber(value)} ${unit}`;
}

/** `= 1,389 images/s × 0.35 s`; of what is not worked out, only why it is so. */
export function showArithmetic({ value, arithmetic }: Figure): string {
  const alone = `${showNumber(value)}, `;
  return arithmetic.startsWith(alone) ? arithmetic.slice(alone.length) : `= ${arithmetic}`;
}
