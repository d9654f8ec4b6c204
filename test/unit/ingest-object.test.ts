import { gzipSync } from 'node:zlib';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { IngestProgress } from '../../src/queue/queue.ts';
import { createIngestObject } from '../../src/unit/ingest-object.ts';
import { parseIngestPrefix } from '../../src/unit/ingest-prefix.ts';
import { startService } from '../support/http/service.ts';

const OBJECT = { bucket: 'deliveries', key: 'units.jsonl' };
const COUNT = 3000;
const DEFAULTS = {
  ladder: { widths: [1080], defaultWidth: 1080 },
  prewarm: { widths: [1080], tiers: ['balanced'], formats: ['avif'] },
} as const;
const LINES = Array.from(
  { length: COUNT },
  (_, index) => `{"id":"u-${index}","images":"https://x.test/${index}"}\n`,
);

/** An object of three thousand units, whose ingesting is stopped when the queue has taken so many more. */
async function setUp(content: Buffer = Buffer.from(LINES.join(''))) {
  const { unitServices } = await startService({ SOURCE_ALLOW: 'https://nothing.test/*' });
  const queued: string[] = [];
  const version = { etag: '"1"' };
  async function ingest(stopAfter: number, progress?: IngestProgress): Promise<IngestProgress | undefined> {
    const stop = new AbortController();
    if (stopAfter === 0) stop.abort(new Error('the time is over'));
    const until = queued.length + stopAfter;
    const run = createIngestObject({
      units: unitServices.units,
      queue: {
        send: async (jobs) => {
          queued.push(...jobs.map(({ unit }) => unit));
          if (queued.length >= until) stop.abort(new Error('the time is over'));
        },
      },
      ...{
        from: [parseIngestPrefix('s3://deliveries/')],
        defaults: DEFAULTS,
        log: pino({ level: 'silent' }),
      },
      signal: stop.signal,
      open: async () => ({ ...version, chunks: chunksOf(content) }),
    });
    return await run({ ...OBJECT, progress });
  }
  return { ingest, queued, version };
}

async function* chunksOf(content: Buffer) {
  for (let start = 0; start < content.length; start += 10_000) yield content.subarray(start, start + 10_000);
}

describe('An object with more units than there is time for', () => {
  it.each([
    ['NDJSON', undefined],
    ['gzip', gzipSync(LINES.join(''))],
    [
      'CSV',
      Buffer.from(`id,url\n${LINES.map((_, index) => `u-${index},https://x.test/${index}\n`).join('')}`),
    ],
  ])('is ingested in parts, each unit once: %s', async (_, content) => {
    const { ingest, queued } = await setUp(content);
    const first = await ingest(1000);
    expect(first?.etag).toBe('"1"');
    const second = await ingest(1000, first);
    expect(second?.entries).toBeGreaterThan(first?.entries ?? COUNT);
    expect(await ingest(COUNT, second)).toBeUndefined();
    expect(queued).toHaveLength(COUNT);
    expect(new Set(queued).size).toBe(COUNT);
  });

  it('begins again when it was replaced', async () => {
    const { ingest, queued, version } = await setUp();
    const progress = await ingest(1000);
    version.etag = '"2"';
    const before = queued.length;
    expect(await ingest(2 * COUNT, progress)).toBeUndefined();
    expect(queued).toHaveLength(before + COUNT);
  });

  it('fails when it is damaged, also when there was no time to say so before', async () => {
    const whole = gzipSync(LINES.join(''));
    const { ingest, queued } = await setUp(whole.subarray(0, -100));
    const progress = { etag: '"1"', entries: COUNT + 1 };
    const message = expect.stringContaining('cannot be read');
    await expect(ingest(COUNT, progress)).rejects.toMatchObject({ cause: { message } });
    expect(queued).toEqual([]);
  });

  it('fails when there was no time for any of it, so that the event is not sent anew for ever', async () => {
    const { ingest, queued } = await setUp();
    await expect(ingest(0)).rejects.toMatchObject({ cause: new Error('the time is over') });
    expect(queued).toEqual([]);
  });
});
