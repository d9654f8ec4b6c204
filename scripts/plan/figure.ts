import { formatCount } from '../command/amounts.ts';
import { evaluate, SIGNS, type Sign, type Token } from './evaluate.ts';

/** One result of the plan, and where it comes from. */
export interface Figure {
  label: string;
  value: number;
  /** `''`: a bare number. */
  unit: string;
  /** Such as `1,389 images/s × 0.35 s`: what the value was worked out from. */
  arithmetic: string;
}

/** A number that is shown in its own way. */
export interface Shown {
  value: number;
  text: string;
}

type Operand = number | Figure | Shown;

/**
 * Makes a figure of its arithmetic, which is at once what is worked out and what is shown, so that the two cannot differ:
 *
 *     figure('concurrency')`${imagesPerSecond} images/s × ${seconds} s`
 *
 * Every number is an operand; words between them only explain.
 */
export function figure(label: string, unit = '') {
  return (texts: TemplateStringsArray, ...operands: readonly Operand[]): Figure => {
    const tokens = texts.flatMap((text, index): Token[] => {
      const signs = (text.match(SIGNS) ?? []) as Sign[];
      const operand = operands[index];
      return operand === undefined ? signs : [...signs, numberOf(operand)];
    });
    return {
      label,
      unit,
      value: evaluate(tokens),
      arithmetic: String.raw({ raw: texts }, ...operands.map(show)),
    };
  };
}

/** What figures come to together. */
export function total(label: string, unit: string, figures: readonly Figure[]): Figure {
  return {
    label,
    unit,
    value: figures.reduce((sum, { value }) => sum + value, 0),
    arithmetic: figures.map(show).join(' + '),
  };
}

/** `25%` of something. */
export function percent(share: number): Shown {
  return { value: share, text: `${showNumber(share * 100)}%` };
}

/** A price: exact, where amounts are rounded. */
export function usd(price: number): Shown {
  const text = price.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: 10 });
  return { value: price, text: `$${text}` };
}

/** Whole from 100 on, four digits below. */
export function showNumber(value: number): string {
  if (Number.isInteger(value)) return formatCount(value);
  const size = Math.abs(value);
  if (size >= 100) return formatCount(Math.round(value));
  return value.toLocaleString('en', { maximumSignificantDigits: 4 });
}

/** `$1,234`, `$12.34`, `$0.00123`. */
export function showUsd(value: number): string {
  const size = Math.abs(value);
  const sign = value < 0 ? '−' : '';
  if (size >= 100 || size < 1e-9) return `${sign}$${formatCount(Math.round(size))}`;
  const maximumFractionDigits = size >= 1 ? 2 : 2 - Math.floor(Math.log10(size));
  const text = size.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits });
  return `${sign}$${text}`;
}

function numberOf(operand: Operand): number {
  return typeof operand === 'number' ? operand : operand.value;
}

function show(operand: Operand): string {
  if (typeof operand === 'number') return showNumber(operand);
  if ('text' in operand) return operand.text;
  return operand.unit === '$' ? showUsd(operand.value) : showNumber(operand.value);
}
