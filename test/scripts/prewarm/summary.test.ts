import { describe, expect, it } from 'vitest';
import { formatSummary } from '../../../scripts/prewarm/summary.ts';
import { createTotals } from '../../../scripts/prewarm/totals.ts';
import type { ErrorCode } from '../../../src/protocol/error.ts';
import type { BrokenImage, ReadyImage } from '../../../src/unit/outcome.ts';

function ready(sourceBytes: number, avif: number, webp: number, skipped = false): ReadyImage {
  const kind = { width: 1080, tier: 'balanced' } as const;
  const variants = [
    { ...kind, format: 'avif', type: 'image/avif', bytes: avif },
    { ...kind, format: 'webp', type: 'image/webp', bytes: webp },
  ] as const;
  return { unit: 'a', src: 'https://x.test/a', state: 'ready', sourceBytes, variants, skipped };
}

function broken(src: string, code: ErrorCode = 'source_not_found'): BrokenImage {
  return { unit: 'a', src, state: 'broken', code, detail: '404', retryable: false };
}

const summarize = (totals: ReturnType<typeof createTotals>) =>
  formatSummary(totals, { seconds: 72, mobileUsdPerGb: 5 });

describe('the summary of prewarm', () => {
  it('prints the outcomes, the sizes before and after, the download costs, the broken hosts and the refused lines', () => {
    const totals = createTotals();
    totals.addOutcome(ready(3_000_000, 60_000, 80_000));
    totals.addOutcome(ready(1_000_000, 50_000, 40_000, true));
    for (let i = 0; i < 1200; i++) totals.addOutcome(broken('https://images.test:8443/b.jpg'));
    totals.addOutcome(broken('s3://bucket/c', 'source_corrupt'));
    totals.addOutcome(broken('c.jpg', 'bad_request'));
    totals.addRefused({ line: 4, state: 'refused', detail: 'not JSON: x' });
    totals.endUnit(false);
    totals.endUnit(true);
    expect(summarize(totals)).toBe(
      [
        '2 units in 1 min 12 s, 1,204 images: 2 ready (1 skipped: already made), 1,202 broken, 1 unit purged meanwhile; 1 line refused',
        '',
        '  originals             4.0 MB',
        '  1080 balanced avif  110.0 kB  2.8% of the originals',
        '  1080 balanced webp  120.0 kB  3.0% of the originals',
        '  saved                 3.9 MB  96.8% or more',
        '',
        'Mobile data to view every image once:',
        '  originals            4.0 MB  1 min 20 s at 400 kbit/s, $0.02 at $5 a GB',
        '  variants, at most  130.0 kB  2.6 s at 400 kbit/s, $0.00 at $5 a GB',
        '',
        'Broken, by reason and host:',
        '  source_not_found  1,200  images.test:8443',
        '  bad_request           1  no URL',
        '  source_corrupt        1  s3://bucket',
        '',
        'Refused:',
        '  line 4: not JSON: x',
      ].join('\n'),
    );
  });

  it('counts as saved what the largest variant of each image saves', () => {
    const totals = createTotals();
    totals.addOutcome(ready(1000, 100, 400));
    totals.addOutcome(ready(1000, 300, 200));
    // Nothing is saved by an original that was smaller.
    totals.addOutcome(ready(100, 150, 90));
    expect(totals.counts.savedBytes).toBe(600 + 700 - 50);
  });

  it('compares each kind of variant with the originals of the images that have it', () => {
    const totals = createTotals();
    totals.addOutcome(ready(1000, 100, 200));
    const { variants, ...one } = ready(9000, 100, 0);
    totals.addOutcome({ ...one, variants: variants.slice(0, 1) });
    expect(summarize(totals)).toContain('avif    200 B  2.0% of the originals\n');
    expect(summarize(totals)).toContain('webp    200 B  20.0% of the originals of 1 image\n');
  });

  it('shows the most frequent reasons and sums up the rest', () => {
    const totals = createTotals();
    for (let host = 0; host < 30; host++) {
      for (let times = 0; times < 30 - host; times++) totals.addOutcome(broken(`https://h${host}.test/a`));
    }
    const report = summarize(totals);
    expect(report).toContain('source_not_found  30  h0.test\n');
    expect(report).toContain('source_not_found  11  h19.test\n');
    expect(report).not.toContain('h20.test');
    expect(report).toContain('  … and 55 for other reasons or on other hosts');
  });

  it('counts a bounded number of hosts separately and the rest as other hosts', () => {
    const totals = createTotals();
    for (let host = 0; host < 5000; host++) totals.addOutcome(broken(`https://h${host}.test/a`));
    totals.addOutcome(broken('https://h1.test/b'));
    expect(totals.brokenReasons().length).toBe(1001);
    expect(totals.brokenReasons().slice(0, 2)).toEqual([
      { code: 'source_not_found', host: 'other hosts', images: 4000 },
      { code: 'source_not_found', host: 'h1.test', images: 2 },
    ]);
  });

  it('shows the first refused lines, shortened and without control characters', () => {
    const totals = createTotals();
    totals.addRefused({ line: 1, state: 'refused', detail: 'not JSON: "\u001b[2J\u009b2J' });
    totals.addRefused({ line: 7, file: 'b.jsonl', state: 'refused', detail: 'x'.repeat(5000) });
    for (let line = 2; line < 2000; line++) totals.addRefused({ line, state: 'refused', detail: 'no' });
    const report = summarize(totals);
    expect(report).toContain('  line 1: not JSON: "\uFFFD[2J\uFFFD2J\n');
    expect(report).toContain(`  b.jsonl, line 7: ${'x'.repeat(200)}…\n`);
    expect(report).toMatch(/line 4: no\n {2}… and 1,995 lines more$/);
  });

  it('prints how many units were put on the queue when they are not followed', () => {
    const totals = createTotals();
    totals.addRefused({ line: 1, state: 'refused', detail: 'no' });
    const report = formatSummary(totals, {
      seconds: 4.26,
      queued: { units: 1234, images: 1 },
      mobileUsdPerGb: 5,
    });
    expect(report).toBe(
      '1,234 units with 1 image put on the queue in 4.3 s; 1 line refused\n\nRefused:\n  line 1: no',
    );
  });
});
