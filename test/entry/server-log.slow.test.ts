import { type ChildProcess, execFileSync, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../support/http/free-port.ts';
import { startOrigin, targetFor, temporaryFolder, until } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { SERVER, SIGNING_KEYS } from '../support/server-process.ts';
import { encoderPidsOf, killIfThere } from '../support/workers.ts';

const LOG_PROGRAM = 'test/support/entry/log-program.ts';

function start(command: string, stdio: StdioOptions, env: Record<string, string> = {}): ChildProcess {
  const child = spawn('sh', ['-c', command, process.execPath], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function serverEnvironment(workers: number, origin?: { authority: string }) {
  const port = await findFreePort();
  const env = {
    PORT: String(port),
    STORE: `file:${await temporaryFolder()}`,
    WORKERS: String(workers),
    LOG_LEVEL: 'debug',
    ...(origin ? { SOURCE_ALLOW_PRIVATE: origin.authority } : { SIGNING_KEYS }),
  };
  return { url: `http://127.0.0.1:${port}`, env };
}

const answers = (url: string) =>
  fetch(`${url}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  );

/** Several batches of lines. */
async function logMuch(url: string, lines = 500): Promise<void> {
  for (let count = 0; count < lines; count++) expect(await answers(url)).toBe(true);
}

/** A pipe that stays open: the file descriptor of both its ends, for programs, and its path. */
async function createPipe() {
  const path = join(await temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [path]);
  return { path, fd: openSync(path, 'r+') };
}

/** Writes to a pipe what it takes. */
function fillPipe(path: string): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  for (const bytes of [4096, 1]) {
    const text = Buffer.alloc(bytes, '\n');
    expect(() => {
      for (;;) writeSync(fd, text);
    }).toThrow('EAGAIN');
  }
  closeSync(fd);
}

/** More lines than Linux keeps of a socket: `net.core.wmem_default` is 208 KiB. */
const SOCKET_LINES = 2000;

async function startPhotoOrigin() {
  const photo = await photograph();
  return await startOrigin((_request, response) => response.end(photo));
}

/** All workers accept requests. */
const LISTENING = /"listening"/;

/** Reads no further. */
async function readUntilListening(log: Readable): Promise<void> {
  let text = '';
  while (!LISTENING.test(text)) text += String((await once(log, 'data'))[0]);
  log.pause();
}

/** Ends the encoder processes of a server, which starts others, and makes a variant while it logs much. */
async function restartEncoders(server: ChildProcess, url: string, origin: { url: string }): Promise<void> {
  for (const pid of encoderPidsOf(server.pid)) killIfThere(pid);
  const target = targetFor(`${origin.url}/a.jpg`, { width: 160 });
  const [{ status }] = await Promise.all([fetch(url + target), logMuch(url)]);
  expect(status).toBe(200);
}

describe.each([1, 2])('The server, with %d workers,', (workers) => {
  const program = `"$0" --import tsx ${SERVER}`;
  const command = `exec ${program}`;

  it('answers and ends while the disk of its log is full', async () => {
    const { url, env } = await serverEnvironment(workers);
    const full = openSync('/dev/full', 'w');
    const server = start(command, ['ignore', full, full], env);
    await until(() => answers(url));
    await logMuch(url);
    server.kill('SIGTERM');
    expect(await once(server, 'close')).toEqual([0, null]);
  });

  it('answers and ends while nobody reads its log, which goes to a pipe', async () => {
    const origin = await startPhotoOrigin();
    const { url, env } = await serverEnvironment(workers, origin);
    const { path, fd } = await createPipe();
    const server = start(command, ['ignore', fd, fd], env);
    for await (const line of linesOf(path)) if (LISTENING.test(line)) break;
    fillPipe(path);
    await restartEncoders(server, url, origin);
    server.kill('SIGTERM');
    expect(await once(server, 'close')).toEqual([0, null]);
  });

  it('answers and ends while nobody reads its log, which goes to a socket', async () => {
    const origin = await startPhotoOrigin();
    const { url, env } = await serverEnvironment(workers, origin);
    const server = start(`${command} 2>&1`, ['ignore', 'pipe', 'ignore'], env);
    await readUntilListening(server.stdout as Readable);
    await logMuch(url, SOCKET_LINES);
    await restartEncoders(server, url, origin);
    server.kill('SIGTERM');
    expect(await once(server, 'exit')).toEqual([0, null]);
  });

  it('answers and ends after the reader of its log has gone', async () => {
    const { url, env } = await serverEnvironment(workers);
    const shell = start(
      `{ ${program}; echo "ended: $?" >&3; } 2>&1 | head -1`,
      ['ignore', 'pipe', 'ignore', 'pipe'],
      env,
    );
    const [line] = await once(shell.stdout as NonNullable<typeof shell.stdout>, 'data');
    await until(() => answers(url));
    await logMuch(url);
    process.kill(JSON.parse(String(line)).pid, 'SIGTERM');
    const [ended] = await once(shell.stdio[3] as NonNullable<typeof shell.stdout>, 'data');
    expect(String(ended)).toBe('ended: 0\n');
  });
});

describe('The log', () => {
  it('drops the lines for which there is no room, counts them, and says so when it is read again', async () => {
    const { path, fd } = await createPipe();
    const program = start(`exec "$0" --import tsx ${LOG_PROGRAM}`, ['pipe', fd, 'pipe']);
    const lost = async (lines: number) => {
      program.stdin?.write(`${lines}\n`);
      const [text] = await once(program.stderr as NonNullable<typeof program.stderr>, 'data');
      return Number.parseInt(String(text), 10);
    };
    expect(await lost(100)).toBe(0);
    // The pipe takes 64 KiB, the buffer 10,000 bytes.
    const total = await lost(20_000);
    expect(total).toBeGreaterThan(10_000);
    const lines = linesOf(path);
    for await (const line of lines) if (line === `lost ${total}: slow reader`) break;
    expect(await lost(1)).toBe(total);
  });

  it('has the lines of another process whole, in whatever pieces they come, and one without an end', async () => {
    const program = start(`exec "$0" --import tsx ${LOG_PROGRAM}`, ['pipe', 'pipe', 'ignore']);
    program.stdin?.end(`forward ${JSON.stringify(['on', 'e\ntwo\nth', 'ree\n', '\nla', 'st'])}\nexit\n`);
    let text = '';
    for await (const chunk of program.stdout ?? []) text += chunk;
    expect(text).toBe('started\none\ntwo\nthree\n\nlast\n');
  });

  it('is written to its end before the process ends', async () => {
    const program = start(`exec "$0" --import tsx ${LOG_PROGRAM}`, ['pipe', 'pipe', 'ignore']);
    program.stdin?.end('50\nexit\n');
    let text = '';
    for await (const chunk of program.stdout ?? []) text += chunk;
    expect(text.split('\n').slice(-3)).toEqual(['line 48', 'line 49', '']);
  });
});

async function* linesOf(path: string): AsyncGenerator<string> {
  // Opened anew: whether reads block belongs to what was opened, which the program shares.
  const pipe = new Socket({ fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), writable: false });
  let text = '';
  for await (const chunk of pipe) {
    text += chunk;
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    yield* lines;
  }
}
