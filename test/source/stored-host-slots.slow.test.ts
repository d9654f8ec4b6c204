import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { serve } from '../support/source/loopback.ts';
import { makeFolder } from '../support/store/folder.ts';

const PROGRAM = 'test/support/source/fetch-with-slots.ts';

/** Starts a process that fetches from a host, and kills it after the test. */
function startFetching(root: string, url: string, count: number, limit: number): ChildProcess {
  const args = ['--import', 'tsx', PROGRAM, root, url, String(count), String(limit)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Starts a host that takes a while to answer, and counts the requests that it has at the same time. */
async function startSlowHost(answerAfter: () => Promise<unknown>) {
  const counts = { open: 0, most: 0, all: 0 };
  const { port } = await serve(async (request, response) => {
    counts.open += 1;
    counts.all += 1;
    counts.most = Math.max(counts.most, counts.open);
    request.socket.once('close', () => response.destroy());
    response.once('close', () => {
      counts.open -= 1;
    });
    await answerAfter();
    response.end('image');
  });
  return { url: `http://127.0.0.1:${port}/`, counts };
}

test('four processes together fetch as much as one may from a host, and never more', async () => {
  const root = await makeFolder();
  const { url, counts } = await startSlowHost(() => sleep(50));
  const children = Array.from({ length: 4 }, () => startFetching(root, url, 25, 3));
  const ends = await Promise.all(children.map((child) => once(child, 'exit')));
  expect(ends.map(([status]) => status)).toEqual([0, 0, 0, 0]);
  expect(counts).toEqual({ open: 0, most: 3, all: 100 });
});

test('the slots of a process that was killed are taken by others, and not one more', async () => {
  const root = await makeFolder();
  let answers = false;
  const { url, counts } = await startSlowHost(() => (answers ? sleep(5) : new Promise(() => {})));
  const first = startFetching(root, url, 10, 2);
  await expect.poll(() => counts.open, { timeout: 20_000 }).toBe(2);
  const second = startFetching(root, url, 20, 2);
  answers = true;
  first.kill('SIGKILL');
  const [status] = await once(second, 'exit');
  expect(status).toBe(0);
  expect(counts).toEqual({ open: 0, most: 2, all: 22 });
});
