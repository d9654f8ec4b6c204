import { runInThisContext } from 'node:vm';
import type { Figure } from '../../../scripts/plan/figure.ts';

/** All figures in a plan, at any depth. */
export function figuresIn(value: unknown): Figure[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'arithmetic' in value ? [value as Figure] : [];
  return [...own, ...Object.values(value).flatMap(figuresIn)];
}

const JAVASCRIPT_OF: Readonly<Record<string, string>> = {
  '−': '-',
  '×': '*',
  '÷': '/',
  '⌈': 'Math.ceil(',
  '⌉': ')',
  '⌊': 'Math.floor(',
  '⌋': ')',
};

/** Evaluates a formula as a reader would: from the numbers that are shown, without the words between them. */
export function evaluateFormula(formula: string): number {
  const parts = formula.match(/\d[\d,]*(?:\.\d+)?%?|∞|[+−×÷()⌈⌉⌊⌋]/g) ?? [];
  const code = parts.map((part) => {
    const number = part.replaceAll(',', '').replace('∞', 'Infinity');
    return JAVASCRIPT_OF[part] ?? (part.endsWith('%') ? `(${number.slice(0, -1)}/100)` : number);
  });
  return runInThisContext(code.join(' '));
}

/** How far a figure may be from its formula, since the shown numbers are rounded: to a whole above 100, or to four digits. */
export function roundingTolerance({ value, arithmetic }: Figure): number {
  const operands = arithmetic.match(/\d[\d,]*(?:\.\d+)?/g) ?? [];
  // Each operand is off by half of its third digit at most, and a difference by all of them together.
  const sum = operands.reduce((total, text) => total + Number(text.replaceAll(',', '')), 0);
  const ofDifferences = arithmetic.includes('−') ? sum * 0.005 : 0;
  // Rounding up or down may end at the next whole number.
  const ofRounding = /[⌈⌊]/.test(arithmetic) ? 2 : 0;
  return Math.abs(value) * 0.02 + ofDifferences + ofRounding + 1e-9;
}
