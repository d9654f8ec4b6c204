import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { EncodeRequest } from '../../src/encode/encoder.ts';
import { createEncoderPool } from '../../src/encode/pool/encoder-pool.ts';
import type { ProcessEnded } from '../../src/encode/pool/encoder-process.ts';
import { createProcessCounts } from '../../src/encode/pool/process-counts.ts';
import { createLocks, type Locks } from '../../src/locks.ts';
import { until } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { isThere } from '../support/workers.ts';

const REQUEST: EncodeRequest = { width: 160, tier: 'balanced', format: 'webp', effort: 'fast' };

async function startPool(processes = 1) {
  const others = new Set(encoderPids());
  const counts = createProcessCounts();
  const ended: ProcessEnded[] = [];
  const onProcessEnded = (end: ProcessEnded) => ended.push(end);
  const pool = createEncoderPool({ processes, maxPixels: 100_000_000, onProcessEnded, counts });
  onTestFinished(() => pool.close());
  await pool.start();
  return { pool, ended, counts, pids: () => encoderPids().filter((pid) => !others.has(pid)) };
}

/** The encoder processes of this process. */
function encoderPids(): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children.map(Number).filter((pid) => commandOf(pid).includes('process-main'));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** What Linux says of the group of a process among which it divides CPU time. */
function autogroupOf(pid: number | 'self' | undefined): string | undefined {
  const file = `/proc/${pid}/autogroup`;
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** Whether a process decodes now: libvips has threads then. */
function decodes(pid: number): boolean {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.some((id) => readFileSync(`/proc/${pid}/task/${id}/comm`, 'utf8').includes('vips'));
  } catch {
    return false;
  }
}

/** A picture whose decoding takes a while. */
function slowPicture(): Promise<Buffer> {
  return sharp({ create: { width: 6000, height: 6000, channels: 3, background: 'red' } })
    .jpeg({ progressive: true })
    .toBuffer();
}

describe('a pool of encoder processes', { timeout: 60_000 }, () => {
  it('decodes again in another process what was in one that has died', async () => {
    const { pool, pids, ended, counts } = await startPool();
    const image = await pool.decode(await photograph(), 320, 'viewer');
    const [first = 0] = pids();
    process.kill(first, 'SIGSEGV');
    expect(await image.encode(REQUEST)).toMatchObject({ width: 160, contentType: 'image/webp' });
    image.close();
    expect(ended).toMatchObject([{ reason: 'crash', signal: 'SIGSEGV' }]);
    expect(pids()).not.toContain(first);
    await until(() => counts.busy === 0);
    expect(counts).toEqual({ busy: 0, idle: 1, replaced: { crash: 1 } });
  });

  it.each([
    ['SIGSEGV', 'source_corrupt'],
    ['SIGABRT', 'source_too_large'],
    ['SIGKILL', 'overloaded'],
  ] as const)('says %s, if it ends two processes of an image, by %s', async (signal, code) => {
    const { pool, pids, ended } = await startPool();
    const picture = await slowPicture();
    const decoding = pool.decode(picture, 320, 'viewer').then(
      () => 'decoded',
      (error) => error,
    );
    const isOver = new Set<unknown>();
    void decoding.then((result) => isOver.add(result));
    await until(() => {
      for (const pid of pids().filter(decodes)) process.kill(pid, signal);
      return isOver.size > 0;
    });
    expect(await decoding).toMatchObject({ code });
    expect(ended.length).toBeGreaterThanOrEqual(2);
    // The next image is none the worse for it.
    const image = await pool.decode(await photograph(), 320, 'viewer');
    expect(await image.encode(REQUEST)).toMatchObject({ width: 160 });
    image.close();
  });

  it('says source_corrupt if an image makes two processes exit by themselves', async () => {
    // Instead of its second answer, which is what it has decoded.
    const preload = `if (process.argv[1].includes('process-main')) {
      const { rss } = process.memoryUsage;
      let answers = 0;
      process.memoryUsage.rss = () => ++answers === 2 ? process.exit(3) : rss();
    }`;
    vi.stubEnv('NODE_OPTIONS', `--import data:text/javascript,${encodeURIComponent(preload)}`);
    vi.resetModules();
    onTestFinished(() => {
      vi.unstubAllEnvs();
      vi.resetModules();
    });
    const pools = await import('../../src/encode/pool/encoder-pool.ts');
    const ended: ProcessEnded[] = [];
    const pool = pools.createEncoderPool({
      processes: 1,
      maxPixels: 1_000_000,
      onProcessEnded: (end) => ended.push(end),
    });
    onTestFinished(() => pool.close());
    const decoding = pool.decode(await photograph(), 320, 'viewer');
    await expect(decoding).rejects.toMatchObject({ code: 'source_corrupt' });
    expect(ended.map(({ reason, signal }) => [reason, signal])).toEqual(Array(2).fill(['crash', undefined]));
  });

  it('gives viewers and prewarm processes of their own', async () => {
    const { pool, counts } = await startPool();
    const photo = await photograph();
    const prewarmed = await pool.decode(photo, 320, 'prewarm');
    const viewed = await pool.decode(photo, 320, 'viewer');
    expect(counts.busy).toBe(2);
    prewarmed.close();
    viewed.close();
    await until(() => counts.busy === 0);
  });

  it('lets prewarm stand back, for other sessions too where Linux divides CPU time between them', async () => {
    const { pool, pids } = await startPool();
    const viewers = pids();
    const image = await pool.decode(await photograph(), 160, 'prewarm');
    const [prewarm] = pids().filter((pid) => !viewers.includes(pid));
    expect(getPriority(prewarm)).toBeGreaterThan(getPriority(viewers[0]));
    const own = autogroupOf('self');
    expect(autogroupOf(viewers[0])).toBe(own);
    // A container may have no autogroups.
    if (own !== undefined) await until(() => /nice [1-9]/.test(autogroupOf(prewarm) ?? ''));
    image.close();
  });

  it('lets an image wait until another one is closed', async () => {
    const { pool, counts } = await startPool();
    const photo = await photograph();
    const first = await pool.decode(photo, 320, 'viewer');
    const second = pool.decode(photo, 320, 'viewer');
    await first.encode(REQUEST);
    expect(counts).toMatchObject({ busy: 1, idle: 0 });
    first.close();
    (await second).close();
  });

  it('lets large images take turns, without keeping others waiting', async () => {
    const turns: string[] = [];
    const ownLocks = createLocks();
    const locks: Locks = {
      async run(name, options, work) {
        turns.push(`${name}, ${options.limit} at a time`);
        return await ownLocks.run(name, options, work);
      },
    };
    const pool = createEncoderPool({ processes: 2, maxPixels: 100_000_000, locks });
    onTestFinished(() => pool.close?.());
    const large = await sharp({ create: { width: 9000, height: 9000, channels: 3, background: 'blue' } })
      .png()
      .toBuffer();
    const sources = [large, large, await photograph()];
    await Promise.all(sources.map(async (source) => (await pool.decode(source, 320, 'viewer')).close()));
    expect(turns).toEqual(['large decode, 1 at a time', 'large decode, 1 at a time']);
  });

  it('is overloaded while the machine can start no process, and works again when it can', async () => {
    const program = [process.execPath, '--import', 'tsx', 'test/support/encode/decode-without-files.ts'];
    const limited = ['-c', 'ulimit -n 80; exec "$@"', 'sh', ...program];
    const { stdout } = await promisify(execFile)('sh', limited);
    expect(stdout).toBe('overloaded\n64\n');
  });

  it('gives up a decode that takes long when nobody waits for it any more', async () => {
    const { pool, pids, counts, ended } = await startPool();
    const [first = 0] = pids();
    const picture = await slowPicture();
    const left = new AbortController();
    const decoding = pool.decode(picture, 320, 'viewer', left.signal);
    await until(() => decodes(first));
    // It takes for ever.
    process.kill(first, 'SIGSTOP');
    left.abort(new Error('left'));
    await expect(decoding).rejects.toThrow('left');
    await until(() => counts.busy === 0);
    expect(pids()).not.toContain(first);
    expect(ended).toEqual([]);
  });

  it('encodes nothing of an image that is closed: its process may have another one', async () => {
    const { pool } = await startPool();
    const photo = await photograph();
    const closed = await pool.decode(photo, 320, 'viewer');
    closed.close();
    const other = await pool.decode(photo, 320, 'viewer');
    await expect(closed.encode(REQUEST)).rejects.toThrow('closed');
    other.close();
  });

  it('gives no image a process that it ends', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const { pool, counts } = await startPool();
    const photo = await photograph();
    (await pool.decode(photo, 320, 'prewarm')).close();
    await until(() => counts.busy === 0);
    vi.advanceTimersByTime(120_000);
    (await pool.decode(photo, 320, 'prewarm')).close();
  });

  it('has none of the secrets of the server', async () => {
    process.env['EDGEPRESS_TEST_SECRET'] = 'secret';
    onTestFinished(() => {
      delete process.env['EDGEPRESS_TEST_SECRET'];
    });
    const { pids } = await startPool();
    const [pid = 0] = pids();
    expect(readFileSync(`/proc/${pid}/environ`, 'latin1')).not.toContain('EDGEPRESS_TEST_SECRET');
  });

  it('ends its processes when it is closed', async () => {
    const { pool, pids } = await startPool(2);
    const started = pids();
    expect(started).toHaveLength(2);
    await pool.close();
    expect(started.filter(isThere)).toEqual([]);
  });
});
