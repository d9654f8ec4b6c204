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
async function setUp(content: Buffer | string = LINES.join(''), read = chunksOf) {
  const { unitServices } = await startService({ SOURCE_ALLOW: 'https://nothing.test/*' });
  const queued: string[] = [];
  const logged: Record<string, unknown>[] = [];
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
        log: pino({ level: 'info' }, { write: (line) => void logged.push(JSON.parse(line)) }),
      },
      signal: stop.signal,
      open: async () => ({ ...version, chunks: read(Buffer.from(content), stop.signal) }),
    });
    return await run({ ...OBJECT, progress });
  }
  return { ingest, queued, version, logged };
}

async function* chunksOf(content: Buffer, _signal: AbortSignal) {
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

describe('the log of an object', () => {
  it('has what was done so far while it is not done, and what was noted about the whole input at its end', async () => {
    const withoutIds = `id,photo_url,colour\n${LINES.map((_, index) => `u-${index},https://x.test/${index},red\n`).join('')}`;
    const { ingest, logged } = await setUp(withoutIds);
    const progress = await ingest(1000);
    expect(logged[0]).toMatchObject({
      continued: true,
      refusedCount: 0,
      object: 's3://deliveries/units.jsonl',
    });
    await ingest(COUNT, progress);
    expect(logged[1]).toMatchObject({ notes: [expect.stringContaining('colour')] });
    expect(logged[1]).not.toHaveProperty('continued');
  });

  it('has ten of the refused lines at most, none longer than 500 characters, as a warning', async () => {
    const bad = `{"id":"a","images":"https://x.test/1","for":"${'x'.repeat(2000)}"}\nnot JSON\n`;
    const { ingest, logged } = await setUp(LINES[0] + bad.repeat(20));
    await ingest(COUNT);
    const [{ level, refusedCount, refused } = {}] = logged;
    expect({ level, refusedCount }).toEqual({ level: 40, refusedCount: 40 });
    expect(refused).toHaveLength(10);
    expect(Math.max(...(refused as { detail: string }[]).map(({ detail }) => detail.length))).toBeLessThan(
      501,
    );
  });
});

describe('The rest of an object', () => {
  it('may be without any unit that can be taken', async () => {
    const { ingest } = await setUp(`${LINES.join('')}not JSON\n`);
    expect(await ingest(COUNT, { etag: '"1"', entries: COUNT })).toBeUndefined();
  });

  it('is left for later when reading it is what the end of the time stopped', async () => {
    const { ingest } = await setUp(LINES.join(''), async function* (content, signal) {
      yield* chunksOf(content.subarray(0, content.length / 2), signal);
      signal.throwIfAborted();
      yield* chunksOf(content.subarray(content.length / 2), signal);
    });
    expect(await ingest(1000)).toMatchObject({ etag: '"1"', entries: expect.any(Number) });
  });

  it('fails with the error of what it is read from', async () => {
    const { ingest } = await setUp(LINES.join(''), async function* (content, signal) {
      yield* chunksOf(content.subarray(0, 100), signal);
      throw new Error('connection lost');
    });
    await expect(ingest(COUNT)).rejects.toMatchObject({
      message: 's3://deliveries/units.jsonl could not be ingested',
      cause: { message: 'connection lost' },
    });
  });
});
