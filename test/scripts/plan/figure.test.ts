import { describe, expect, it } from 'vitest';
import { figure, percent, showNumber, showUsd, total, usd } from '../../../scripts/plan/figure.ts';

describe('a figure', () => {
  it('is what its arithmetic comes to, as it is shown', () => {
    const seconds = figure('time', 's')`${1400} ms ÷ ${1000}`;
    expect(seconds).toEqual({ label: 'time', unit: 's', value: 1.4, arithmetic: '1,400 ms ÷ 1,000' });
    expect(figure('')`${2} + ${3} × ${4} − ${10} ÷ ${5} ÷ ${2}`.value).toBe(13);
    expect(figure('')`(${2} + ${3}) × ⌈${4.1} × ${2}⌉ − ⌊${seconds} s⌋`).toMatchObject({
      value: 44,
      arithmetic: '(2 + 3) × ⌈4.1 × 2⌉ − ⌊1.4 s⌋',
    });
    expect(figure('')`${200} GB × ${percent(0.25)} × ${usd(0.0000133334)}`).toMatchObject({
      value: 200 * 0.25 * 0.0000133334,
      arithmetic: '200 GB × 25% × $0.0000133334',
    });
    const dollars = figure('', '$')`${3} × ${usd(0.25)}`;
    expect(total('', '$', [dollars, dollars])).toMatchObject({ value: 1.5, arithmetic: '$0.75 + $0.75' });
  });

  it('does not round up what is whole but for the last bit', () => {
    expect(figure('')`⌈(${0.1} + ${0.2}) × ${10}⌉`.value).toBe(3);
    expect(figure('')`⌊${0.57} × ${100}⌋`.value).toBe(57);
  });

  it('refuses what is no arithmetic: it is a bug', () => {
    expect(() => figure('')`${1} ${2}`).toThrow(TypeError);
    expect(() => figure('')`⌈${1} × ${2}`).toThrow(TypeError);
    expect(() => figure('')`${1} ×`).toThrow(TypeError);
  });

  it('shows numbers as people read them', () => {
    expect([1388.9, 486.11, 13.888, 0.35, 0, 1e6].map(showNumber)).toEqual([
      '1,389',
      '486',
      '13.89',
      '0.35',
      '0',
      '1,000,000',
    ]);
    expect([1234.5, 12.345, 0.3, 0.004625, 0, -20.5].map(showUsd)).toEqual([
      '$1,235',
      '$12.35',
      '$0.30',
      '$0.00463',
      '$0',
      '−$20.50',
    ]);
  });
});
