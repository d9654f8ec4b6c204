import { describe, expect, it } from 'vitest';
import { describeRun } from '../../scripts/prewarm/report.ts';
import { createTally } from '../../scripts/prewarm/tally.ts';
import type { ErrorCode } from '../../src/protocol/error.ts';
import type { BrokenImage, ReadyImage } from '../../src/unit/outcome.ts';

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

const describeTally = (tally: ReturnType<typeof createTally>) =>
  describeRun(tally, { seconds: 72, mobileUsdPerGb: 5 });

describe('the report of a run', () => {
  it('says what became of all units, and how much lighter they are for whoever looks at them', () => {
    const tally = createTally();
    tally.add(ready(3_000_000, 60_000, 80_000));
    tally.add(ready(1_000_000, 50_000, 40_000, true));
    for (let i = 0; i < 1200; i++) tally.add(broken('https://images.test:8443/b.jpg'));
    tally.add(broken('s3://bucket/c', 'source_corrupt'));
    tally.add(broken('c.jpg', 'bad_request'));
    tally.refuse({ line: 4, state: 'refused', detail: 'not JSON: x' });
    tally.endUnit(false);
    tally.endUnit(true);
    expect(describeTally(tally)).toBe(
      [
        '2 units in 1 min 12 s, 1,204 images: 2 ready (1 skipped: they were there), 1,202 broken, 1 unit purged meanwhile; 1 line refused',
        '',
        '  originals             4.0 MB',
        '  1080 balanced avif  110.0 kB  2.8% of the originals',
        '  1080 balanced webp  120.0 kB  3.0% of the originals',
        '  saved                 3.9 MB  96.8% or more',
        '',
        'To whoever looks at all of it, once:',
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

  it('counts as saved what even the largest variant of an image saves', () => {
    const tally = createTally();
    tally.add(ready(1000, 100, 400));
    tally.add(ready(1000, 300, 200));
    // Nothing is saved by an original that was smaller.
    tally.add(ready(100, 150, 90));
    expect(tally.counts.savedBytes).toBe(600 + 700 - 50);
  });

  it('compares each kind of variant with the originals of the images that have it', () => {
    const tally = createTally();
    tally.add(ready(1000, 100, 200));
    const { variants, ...one } = ready(9000, 100, 0);
    tally.add({ ...one, variants: variants.slice(0, 1) });
    expect(describeTally(tally)).toContain('avif    200 B  2.0% of the originals\n');
    expect(describeTally(tally)).toContain('webp    200 B  20.0% of the originals of 1 image\n');
  });

  it('shows the most frequent reasons, and sums up the rest', () => {
    const tally = createTally();
    for (let host = 0; host < 30; host++) {
      for (let times = 0; times < 30 - host; times++) tally.add(broken(`https://h${host}.test/a`));
    }
    const report = describeTally(tally);
    expect(report).toContain('source_not_found  30  h0.test\n');
    expect(report).toContain('source_not_found  11  h19.test\n');
    expect(report).not.toContain('h20.test');
    expect(report).toContain('  … and 55 for other reasons or at other hosts');
  });

  it('keeps a bounded number of hosts apart, however many there are', () => {
    const tally = createTally();
    for (let host = 0; host < 5000; host++) tally.add(broken(`https://h${host}.test/a`));
    tally.add(broken('https://h1.test/b'));
    expect(tally.brokenBy().length).toBe(1001);
    expect(tally.brokenBy().slice(0, 2)).toEqual([
      { code: 'source_not_found', host: 'other hosts', images: 4000 },
      { code: 'source_not_found', host: 'h1.test', images: 2 },
    ]);
  });

  it('shows the first refused lines, and lets none of them write to the terminal', () => {
    const tally = createTally();
    tally.refuse({ line: 1, state: 'refused', detail: 'not JSON: "\u001b[2J\u009b2J' });
    tally.refuse({ line: 7, file: 'b.jsonl', state: 'refused', detail: 'x'.repeat(5000) });
    for (let line = 2; line < 2000; line++) tally.refuse({ line, state: 'refused', detail: 'no' });
    const report = describeTally(tally);
    expect(report).toContain('  line 1: not JSON: "\uFFFD[2J\uFFFD2J\n');
    expect(report).toContain(`  b.jsonl, line 7: ${'x'.repeat(200)}…\n`);
    expect(report).toMatch(/line 4: no\n {2}… and 1,995 lines more$/);
  });

  it('says how many units were queued when nobody follows them', () => {
    const tally = createTally();
    tally.refuse({ line: 1, state: 'refused', detail: 'no' });
    const report = describeRun(tally, {
      seconds: 4.26,
      queued: { units: 1234, images: 1 },
      mobileUsdPerGb: 5,
    });
    expect(report).toBe(
      '1,234 units with 1 image put on the queue in 4.3 s; 1 line refused\n\nRefused:\n  line 1: no',
    );
  });
});
