import { runInThisContext } from 'node:vm';
import type { Figure } from '../../../scripts/plan/figure.ts';

/** All figures in a plan, however deep. */
export function figuresIn(value: unknown): Figure[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'arithmetic' in value ? [value as Figure] : [];
  return [...own, ...Object.values(value).flatMap(figuresIn)];
}

const OF_JAVASCRIPT: Readonly<Record<string, string>> = {
  '−': '-',
  '×': '*',
  '÷': '/',
  '⌈': 'Math.ceil(',
  '⌉': ')',
  '⌊': 'Math.floor(',
  '⌋': ')',
};

/** Works out arithmetic as a reader would: from the numbers that are shown, words left out. */
export function workOut(arithmetic: string): number {
  const parts = arithmetic.match(/\d[\d,]*(?:\.\d+)?%?|∞|[+−×÷()⌈⌉⌊⌋]/g) ?? [];
  const code = parts.map((part) => {
    const number = part.replaceAll(',', '').replace('∞', 'Infinity');
    return OF_JAVASCRIPT[part] ?? (part.endsWith('%') ? `(${number.slice(0, -1)}/100)` : number);
  });
  return runInThisContext(code.join(' '));
}

/** What the shown numbers may be off by: each is rounded to a whole above 100, or to four digits. */
export function tolerance({ value, arithmetic }: Figure): number {
  const operands = arithmetic.match(/\d[\d,]*(?:\.\d+)?/g) ?? [];
  const largest = Math.max(...operands.map((text) => Number(text.replaceAll(',', ''))));
  const ofDifferences = arithmetic.includes('−') ? largest * 0.005 : 0;
  // What is rounded up may end one further.
  const ofRounding = /[⌈⌊]/.test(arithmetic) ? 2 : 0;
  return Math.abs(value) * 0.02 + ofDifferences + ofRounding + 1e-9;
}
