import { PassThrough } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { formatCounts, formatPace, type Progress, showProgress } from '../../../scripts/prewarm/progress.ts';
import { createTotals } from '../../../scripts/prewarm/totals.ts';

const COUNTS = {
  ...createTotals().counts,
  ...{ units: 1234, ready: 5000, skipped: 100, broken: 7, savedBytes: 1_234_567_890 },
};
const PROGRESS: Progress = { counts: COUNTS, done: 512, total: 1024 };

describe('the progress of prewarm', () => {
  it('shows units, images and bytes saved, and the time left when the total is known', () => {
    expect(formatCounts(PROGRESS)).toBe('1,234 units, 5,007 images: 5,000 ready (100 skipped), 7 broken');
    expect(formatPace(PROGRESS, { imagesPerSecond: 12.34, secondsLeft: 7500 })).toBe(
      '50%, 2 h 5 min left, 12.3 images/s, 1.2 GB saved',
    );
    const endless = { ...PROGRESS, total: undefined };
    expect(formatPace(endless, { imagesPerSecond: 0, secondsLeft: undefined })).toBe(
      '0.0 images/s, 1.2 GB saved',
    );
  });

  it('shows how many images are pending and how many lines were refused', () => {
    const counts = { ...COUNTS, pending: 3, refused: 2 };
    expect(formatCounts({ ...PROGRESS, counts })).toBe(
      '2 lines refused, 1,234 units, 5,010 images: 5,000 ready (100 skipped), 7 broken, 3 pending',
    );
  });

  it('shows only units while they are put on the queue', () => {
    const queueing = { ...PROGRESS, queued: { units: 2000, images: 5000 } };
    expect(formatCounts(queueing)).toBe('2,000 units queued');
    expect(formatPace(queueing, { imagesPerSecond: 0, secondsLeft: 4 })).toBe('50%, 4.0 s left');
  });

  it('prints a line at each interval when it is not on a terminal, with other messages in between', async () => {
    const stream = new PassThrough({ encoding: 'utf8' });
    let done = 0;
    const display = showProgress(() => ({ ...PROGRESS, done: ++done }), {
      stream,
      isLive: false,
      everyMs: 1,
    });
    onTestFinished(() => display.stop());
    display.print('unit-1: the store failed');
    let text = '';
    for await (const chunk of stream) {
      text += chunk;
      if (text.split('\n').length > 4) break;
    }
    const [first, ...lines] = text.trimEnd().split('\n');
    expect(first).toBe('unit-1: the store failed');
    for (const line of lines) {
      expect(line).toMatch(
        /^1,234 units, 5,007 images: .*, 7 broken; 0%, [\d., hmins]+ left, 0\.0 images\/s, 1\.2 GB saved$/,
      );
    }
  });
});
