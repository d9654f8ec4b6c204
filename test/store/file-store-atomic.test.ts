import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { readdir, rm, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createFileStore } from '../../src/store/file-store.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { filesIn, makeFolder, writeByHand } from '../support/store/folder.ts';
import { expectStored } from '../support/store/stored.ts';
import { assertVersion } from '../support/store/version.ts';

const UUID = '01234567-89ab-4cde-8f01-23456789abcd';

let root: string;
let store: VariantStore;
beforeEach(async () => {
  root = join(await makeFolder(), 'data');
  store = createFileStore({ root });
});

describe('temporary files', () => {
  const info = { contentType: 'image/avif' };

  test('none is left by a put, also by one that fails', async () => {
    await store.put('a/b', Buffer.from('x'), info);
    await expect(store.put('a', Buffer.from('x'), info)).rejects.toThrow(/EISDIR|ENOTEMPTY/);
    expect(await readdir(join(root, '.tmp'))).toEqual([]);
  });

  test('those of a dead process, and old ones, are swept when a store is made; those of the living are not', async () => {
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
    expect((await readdir(join(root, '.tmp'))).sort()).toEqual(kept.sort());
  });

  test('one of an earlier process with our number is swept', async () => {
    const name = `${hostname()}.${process.pid}.${UUID}`;
    await writeByHand(root, `.tmp/${name}`, 'half an obj');
    await setAge(`.tmp/${name}`, process.uptime() + 60);
    createFileStore({ root });
    expect(await readdir(join(root, '.tmp'))).toEqual([]);
  });
});

test('a put starts over when its temporary file is swept by another host', async () => {
  // A record, since what is put of it waits for the disk before it is moved into place.
  const record = 'v1/aa/unit/source.json';
  const putting = store.put(record, Buffer.from('{}'), { contentType: 'application/json' });
  rmSync(join(root, '.tmp'), { recursive: true });
  await putting;
  await expectStored(store, record, Buffer.from('{}'), { contentType: 'application/json' });
});

test('a put succeeds while others remove its folders', async () => {
  let putting = true;
  const purge = (async () => {
    while (putting) await rm(join(root, 'v1'), { recursive: true, force: true }).catch(() => undefined);
  })();
  for (let count = 0; count < 300; count += 1) {
    await store.put(`v1/aa/${count}/x.avif`, Buffer.from('x'), { contentType: 'image/avif' });
  }
  putting = false;
  await purge;
});

test('whoever is killed while putting leaves whole objects, and litter that the next store sweeps', async () => {
  let litter = 0;
  for (let round = 0; round < 4; round += 1) {
    const writers = Array.from({ length: 3 }, (_, writer) => startWriter(root, `${round}x${writer}`));
    // Not at once, or all would be killed at the same point of their work.
    await Promise.all(
      writers.map(async (writer) => {
        await untilPrinted(writer, 4 + Math.floor(Math.random() * 20), assertAllWhole);
        writer.kill('SIGKILL');
        await once(writer, 'exit');
        await assertAllWhole();
      }),
    );
    litter += (await readdir(join(root, '.tmp'))).length;
    createFileStore({ root });
    expect(await readdir(join(root, '.tmp'))).toEqual([]);
  }
  // Else no one was killed at work, and this has shown nothing.
  expect(litter).toBeGreaterThan(0);
  expect(await filesIn(root)).toHaveLength(4);
});

function startWriter(folder: string, name: string): ChildProcess {
  const script = join(import.meta.dirname, '../support/store/put-forever.ts');
  const writer = spawn(process.execPath, ['--import', 'tsx', script, folder, name], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // It must not outlive a test that fails.
  onTestFinished(() => void writer.kill('SIGKILL'));
  return writer;
}

/** Waits for so many dots, and does `meanwhile` at each. */
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
  throw new Error('the writer ended by itself');
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
