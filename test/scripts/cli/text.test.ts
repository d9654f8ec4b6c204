import { describe, expect, it } from 'vitest';
import { counted, formatBytes, formatDuration, formatShare, printable } from '../../../scripts/cli/text.ts';

describe('text for people', () => {
  it('formats bytes in decimal units with one decimal', () => {
    const amounts = [0, 999, 1000, 61_440, 999_949, 999_950, 1_500_000_000, -2_500_000, 5e15];
    expect(amounts.map(formatBytes)).toEqual([
      '0 B',
      '999 B',
      '1.0 kB',
      '61.4 kB',
      '999.9 kB',
      '1.0 MB',
      '1.5 GB',
      '-2.5 MB',
      '5,000.0 TB',
    ]);
  });

  it('formats durations in one or two units', () => {
    const times = [0, 4.26, 9.6, 59.4, 59.6, 192, 3599.7, 7500, 360_000];
    expect(times.map(formatDuration)).toEqual([
      'under 0.1 s',
      '4.3 s',
      '10 s',
      '59 s',
      '1 min 0 s',
      '3 min 12 s',
      '1 h 0 min',
      '2 h 5 min',
      '100 h 0 min',
    ]);
  });

  it('formats counts with thousands separators, and shares with one decimal', () => {
    expect([counted(1, 'unit'), counted(0, 'unit'), counted(1_234_567, 'unit')]).toEqual([
      '1 unit',
      '0 units',
      '1,234,567 units',
    ]);
    expect([formatShare(41, 1000), formatShare(0, 0)]).toEqual(['4.1%', '–']);
  });

  it('replaces every character that a terminal could obey', () => {
    expect(printable('é 😀 \u001b[2J\u009b \u202e\ud800\r\n')).toBe(
      'é 😀 \uFFFD[2J\uFFFD \uFFFD\uFFFD\uFFFD\uFFFD',
    );
  });
});
