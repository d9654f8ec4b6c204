import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { rm, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { filesIn, makeFolder, tempFilesIn, writeByHand } from '../support/store/folder.ts';
import { expectStored, md5 } from '../support/store/stored.ts';
import { assertVersion } from '../support/store/version.ts';

const UUID = '01234567-89ab-4cde-8f01-23456789abcd';

let root: string;
let store: VariantStore;
beforeEach(async () => {
  root = join(await makeFolder(), 'data');
  store = createFileStore({ root });
});

describe('the temp files of a file store', () => {
  const info = { contentType: 'image/avif' };

  test('are not left behind by a put, even by one that fails', async () => {
    await store.put('a/b', Buffer.from('x'), info);
    await expect(store.put('a', Buffer.from('x'), info)).rejects.toThrow(/EISDIR|ENOTEMPTY/);
    expect(await tempFilesIn(root)).toEqual([]);
  });

  test('are removed when a store is created if they are old or of dead processes, and left if their process runs', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    const abandoned = [
      `${hostname()}.${child.pid}.${UUID}`,
      `elsewhere.1.${UUID}`,
      `${hostname()}.${process.ppid}.${UUID}`,
    ];
    const kept = [`${hostname()}.${process.pid}.${UUID}`, `other.example.2.${UUID}`, 'not-ours'];
    for (const name of [...abandoned, ...kept]) await writeByHand(root, `.tmp/${name}`, 'half an obj');
    for (const name of abandoned.slice(1)) await setAge(`.tmp/${name}`, 3_700);
    await setAge('.tmp/not-ours', 3_700);

    createFileStore({ root });
    expect((await tempFilesIn(root)).sort()).toEqual(kept.sort());
  });

  test('are removed if they are of an earlier process with the same process id', async () => {
    const name = `${hostname()}.${process.pid}.${UUID}`;
    await writeByHand(root, `.tmp/${name}`, 'half an obj');
    await setAge(`.tmp/${name}`, process.uptime() + 60);
    createFileStore({ root });
    expect(await tempFilesIn(root)).toEqual([]);
  });
});

test('a put starts again when another host removes its temp file', async () => {
  // A record, because its put waits for the disk before the rename.
  const record = 'v1/aa/unit/source.json';
  const putting = store.put(record, Buffer.from('{}'), { contentType: 'application/json' });
  rmSync(join(root, '.tmp'), { recursive: true });
  await putting;
  await expectStored(store, record, Buffer.from('{}'), { contentType: 'application/json' });
});

test('a put succeeds while another task removes its folders', async () => {
  let putting = true;
  const purge = (async () => {
    while (putting) await rm(join(root, 'v1'), { recursive: true, force: true }).catch(() => undefined);
  })();
  for (let count = 0; count < 300; count += 1) {
    const put = store.put(`v1/aa/${count}/x.avif`, Buffer.from('x'), { contentType: 'image/avif' });
    await expect(put).resolves.toEqual({ etag: md5(Buffer.from('x')) });
  }
  putting = false;
  await purge;
});

test('a process that is killed during puts leaves whole objects, and temp files that the next store removes', async () => {
  let tempFiles = 0;
  // At least one must have been killed in the middle of a put: otherwise the test shows nothing.
  for (let round = 0; round < 4 || tempFiles === 0; round += 1) {
    const writers = Array.from({ length: 3 }, (_, writer) => startWriter(root, `${round}x${writer}`));
    // After different times, so that they are killed at different points of their work.
    await Promise.all(
      writers.map(async (writer) => {
        await untilPrinted(writer, 4 + Math.floor(Math.random() * 20), assertAllWhole);
        writer.kill('SIGKILL');
        await once(writer, 'exit');
        await assertAllWhole();
      }),
    );
    tempFiles += (await tempFilesIn(root)).length;
    createFileStore({ root });
    expect(await tempFilesIn(root)).toEqual([]);
  }
  expect(await filesIn(root)).toHaveLength(4);
});

function startWriter(folder: string, name: string): ChildProcess {
  const script = join(import.meta.dirname, '../support/store/put-forever.ts');
  const writer = spawn(process.execPath, ['--import', 'tsx', script, folder, name], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // Otherwise it would outlive a test that fails.
  onTestFinished(() => void writer.kill('SIGKILL'));
  return writer;
}

/** Waits until this many dots are printed, and calls `meanwhile` at each output. */
async function untilPrinted(
  writer: ChildProcess,
  dots: number,
  meanwhile: () => Promise<void>,
): Promise<void> {
  let printed = 0;
  for await (const chunk of writer.stdout ?? []) {
    printed += chunk.length;
    await meanwhile();
    if (printed >= dots) return;
  }
  throw new Error('the writer has ended by itself');
}

async function assertAllWhole(): Promise<void> {
  for (const key of await filesIn(root)) {
    const found = await store.get(key);
    expect(found, key).toBeDefined();
    if (found) assertVersion(found);
  }
}

async function setAge(key: string, seconds: number): Promise<void> {
  const time = Date.now() / 1000 - seconds;
  await utimes(join(root, key), time, time);
}
