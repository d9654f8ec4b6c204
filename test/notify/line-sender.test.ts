import { appendFile, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, it, onTestFinished } from 'vitest';
import { createFileSender, createStdoutSender } from '../../src/notify/line-sender.ts';
import { temporaryFolder } from '../support/http/service.ts';

const message = (id: string) => ({ id, type: 'unit.completed', unit: 'unit-1', body: `{"id":"${id}"}` });

async function setUp() {
  const path = join(await temporaryFolder(), 'events.ndjson');
  const sender = createFileSender(path);
  onTestFinished(() => sender.close());
  return { path, sender };
}

it('a file gets a line for each event, after those that it had', async () => {
  const { path, sender } = await setUp();
  await appendFile(path, '{"id":"before"}\n');
  for (const id of ['a', 'b']) expect(await sender.send(message(id))).toEqual({ state: 'delivered' });
  expect(await readFile(path, 'utf8')).toBe('{"id":"before"}\n{"id":"a"}\n{"id":"b"}\n');
});

it('a line that was cut off stays, and the next event begins a new one', async () => {
  const { path, sender } = await setUp();
  await appendFile(path, '{"id":"cut o');
  await sender.send(message('a'));
  expect(await readFile(path, 'utf8')).toBe('{"id":"cut o\n{"id":"a"}\n');
});

it('a file that was moved away is begun anew', async () => {
  const { path, sender } = await setUp();
  await sender.send(message('a'));
  await rename(path, `${path}.1`);
  await sender.send(message('b'));
  expect(await readFile(`${path}.1`, 'utf8')).toBe('{"id":"a"}\n');
  expect(await readFile(path, 'utf8')).toBe('{"id":"b"}\n');
});

it('a file in a folder that is not there has failed', async () => {
  const sender = createFileSender(join(await temporaryFolder(), 'none', 'events.ndjson'));
  expect(await sender.send(message('a'))).toEqual({
    state: 'failed',
    reason: expect.stringContaining('ENOENT'),
  });
});

it('a folder that was away for a while gets the next event when it is back', async () => {
  const { path, sender } = await setUp();
  const folder = dirname(path);
  await sender.send(message('a'));
  await rename(folder, `${folder}.away`);
  onTestFinished(() => rm(`${folder}.away`, { recursive: true }));
  expect(await sender.send(message('b'))).toMatchObject({ state: 'failed' });
  await mkdir(folder);
  expect(await sender.send(message('b'))).toEqual({ state: 'delivered' });
  expect(await readFile(path, 'utf8')).toBe('{"id":"b"}\n');
});

it('standard output gets a line for each event', async () => {
  const stream = new PassThrough();
  const sender = createStdoutSender(stream);
  expect(await sender.send(message('a'))).toEqual({ state: 'delivered' });
  expect(String(stream.read())).toBe('{"id":"a"}\n');
});
