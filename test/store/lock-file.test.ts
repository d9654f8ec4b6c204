import { once } from 'node:events';
import { existsSync, linkSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { withLockFile } from '../../src/store/lock-file.ts';
import { temporaryFolder } from '../support/http/service.ts';

/** For longer than a lock may be held: as new files with the same inode. */
const HOLD_IN_TURN = `
  const { rmSync, utimesSync, writeFileSync } = require('node:fs');
  const { parentPort, workerData: { path, released } } = require('node:worker_threads');
  const end = Date.now() + 1500;
  parentPort.postMessage('begun');
  const timer = setInterval(() => {
    if (Date.now() < end) return utimesSync(path, new Date(), new Date());
    clearInterval(timer);
    writeFileSync(released, '');
    rmSync(path);
  }, 5);
`;

async function setUp() {
  const folder = await temporaryFolder();
  return { folder, path: join(folder, 'x.lock') };
}

describe('A lock file', () => {
  it('is there while the work is done, and not after it, even if that throws', async () => {
    const { folder, path } = await setUp();
    let during: Promise<string[]> | undefined;
    const work = () => {
      during = readdir(folder);
      throw new Error('no');
    };
    expect(() => withLockFile(path, work)).toThrow('no');
    await during;
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    ['long ago', -3600],
    ['by a process whose clock is ahead', 3600],
  ])('that was left %s holds up nobody for good', async (_name, seconds) => {
    const { folder, path } = await setUp();
    await writeFile(path, '');
    const time = Date.now() / 1000 + seconds;
    await utimes(path, time, time);
    expect(withLockFile(path, () => 'done')).toBe('done');
    expect(await readdir(folder)).toEqual([]);
  });

  it('of another process, which took it over from work that was too slow, stays', async () => {
    const { folder, path } = await setUp();
    withLockFile(path, () => {
      // What another process does after a second. The first file keeps its inode, so that this one has another.
      linkSync(path, `${path}.first`);
      rmSync(path);
      writeFileSync(path, '');
    });
    expect(await readdir(folder)).toEqual(['x.lock', 'x.lock.first']);
  });

  it('that others hold in turn is not taken from them, though file systems use the inodes of removed files again', async () => {
    const { folder, path } = await setUp();
    await writeFile(path, '');
    const others = new Worker(HOLD_IN_TURN, {
      eval: true,
      workerData: { path, released: join(folder, 'released') },
    });
    await once(others, 'message');
    expect(withLockFile(path, () => existsSync(join(folder, 'released')))).toBe(true);
    await once(others, 'exit');
  });

  it('that cannot be created keeps nobody from the work', async () => {
    const { folder } = await setUp();
    expect(withLockFile(join(folder, 'missing', 'x.lock'), () => 'done')).toBe('done');
  });
});
