import { formatCount, formatDuration, formatTable } from '../cli/text.ts';

/** One result of the plan, with the text of its formula. The property names are those of `plan --json`. */
export interface Figure {
  label: string;
  /** `''`: a plain number. */
  unit: string;
  value: number;
  /** The formula with its numbers, such as `1,389 images/s × 0.35 s`. A property test compares it with `value`. */
  arithmetic: string;
}

/**
 * @param value - the result, computed by the caller with the formula of `arithmetic`
 * @param arithmetic - the same formula as text: numbers by {@link show}, prices by {@link formatPrice}
 */
export function figure(label: string, value: number, arithmetic: string, unit = ''): Figure {
  return { label, unit, value, arithmetic };
}

/** An amount in dollars. */
export function dollars(label: string, value: number, arithmetic: string): Figure {
  return figure(label, value, arithmetic, '$');
}

/** The sum of amounts in dollars. */
export function totalDollars(label: string, amounts: readonly Figure[]): Figure {
  const value = amounts.reduce((sum, amount) => sum + amount.value, 0);
  return dollars(label, value, amounts.map(show).join(' + '));
}

/** Rounds up and ignores floating-point noise: 2.0000000000000004 is 2. */
export function roundUp(value: number): number {
  return Math.ceil(withoutNoise(value));
}

/** Rounds down and ignores floating-point noise: 56.99999999999999 is 57. */
export function roundDown(value: number): number {
  return Math.floor(withoutNoise(value));
}

function withoutNoise(value: number): number {
  return Number(value.toPrecision(12));
}

/** A number or figure as it stands in a formula, without its unit. */
export function show(operand: number | Figure): string {
  if (typeof operand === 'number') return formatNumber(operand);
  return operand.unit === '$' ? formatUsd(operand.value) : formatNumber(operand.value);
}

/** Whole from 100 on, four significant digits below: `1,389`, `13.89`, `0.35`. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value)) return formatCount(value);
  const size = Math.abs(value);
  if (size >= 100) return formatCount(Math.round(value));
  return value.toLocaleString('en', { maximumSignificantDigits: 4 });
}

/** An amount, rounded: `$1,234`, `$12.34`, `$0.00123`. */
export function formatUsd(value: number): string {
  const size = Math.abs(value);
  const sign = value < 0 ? '−' : '';
  if (size >= 100 || size < 1e-9) return `${sign}$${formatCount(Math.round(size))}`;
  const maximumFractionDigits = size >= 1 ? 2 : 2 - Math.floor(Math.log10(size));
  const text = size.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits });
  return `${sign}$${text}`;
}

/** A price, exact: `$0.0000133334`. */
export function formatPrice(price: number): string {
  return `$${price.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 10 })}`;
}

/** A share from 0 to 1: `25%`. */
export function formatPercent(share: number): string {
  return `${formatNumber(share * 100)}%`;
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
