import { describe, expect, it } from 'vitest';
import {
  dollars,
  figure,
  formatNumber,
  formatPercent,
  formatPrice,
  formatUsd,
  roundDown,
  roundUp,
  show,
  totalDollars,
} from '../../../scripts/plan/figure.ts';

describe('figure', () => {
  it('holds a label, a unit, a value and the text of its formula', () => {
    const seconds = figure('time', 1400 / 1000, `${show(1400)} ms ÷ 1,000`, 's');
    expect(seconds).toEqual({ label: 'time', unit: 's', value: 1.4, arithmetic: '1,400 ms ÷ 1,000' });
  });

  it('is shown in the formula of another figure without its unit, and as an amount if it is in dollars', () => {
    expect(show(figure('', 1.4, '', 's'))).toBe('1.4');
    expect(show(dollars('', 0.75, ''))).toBe('$0.75');
  });

  it('adds dollars up and shows each amount in the formula', () => {
    const amount = dollars('', 3 * 0.25, `3 × ${formatPrice(0.25)}`);
    expect(totalDollars('both', [amount, amount])).toEqual({
      label: 'both',
      unit: '$',
      value: 1.5,
      arithmetic: '$0.75 + $0.75',
    });
  });
});

describe('rounding', () => {
  it('ignores floating-point noise, so that a whole number stays the same', () => {
    expect((0.1 + 0.2) * 10).toBeGreaterThan(3);
    expect(roundUp((0.1 + 0.2) * 10)).toBe(3);
    expect(0.57 * 100).toBeLessThan(57);
    expect(roundDown(0.57 * 100)).toBe(57);
  });

  it.each([
    ['up from a fraction', roundUp(8.2), 9],
    ['down from a fraction', roundDown(8.9), 8],
  ])('rounds %s', (_name, rounded, expected) => {
    expect(rounded).toBe(expected);
  });
});

describe('number formatting', () => {
  it.each([
    { value: 1388.9, text: '1,389' },
    { value: 486.11, text: '486' },
    { value: 13.888, text: '13.89' },
    { value: 0.35, text: '0.35' },
    { value: 0, text: '0' },
    { value: 1e6, text: '1,000,000' },
  ])('shows the number $value as $text', ({ value, text }) => {
    expect(formatNumber(value)).toBe(text);
  });

  it.each([
    { value: 1234.5, text: '$1,235' },
    { value: 12.345, text: '$12.35' },
    { value: 0.3, text: '$0.30' },
    { value: 0.004625, text: '$0.00463' },
    { value: 0, text: '$0' },
    { value: -20.5, text: '−$20.50' },
  ])('shows the amount of $value dollars as $text', ({ value, text }) => {
    expect(formatUsd(value)).toBe(text);
  });

  it('shows a price exactly and a share as a percentage', () => {
    expect(formatPrice(0.0000133334)).toBe('$0.0000133334');
    expect(formatPercent(0.25)).toBe('25%');
  });
});
