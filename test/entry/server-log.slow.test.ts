import { type ChildProcess, execFileSync, type StdioOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../support/http/free-port.ts';
import { temporaryFolder, until } from '../support/http/service.ts';
import { SERVER, SIGNING_KEYS } from '../support/server-process.ts';

const LOG_PROGRAM = 'test/support/entry/log-program.ts';

function start(command: string, stdio: StdioOptions, env: Record<string, string> = {}): ChildProcess {
  const child = spawn('sh', ['-c', command, process.execPath], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function serverEnvironment(workers: number) {
  const port = await findFreePort();
  const env = {
    PORT: String(port),
    STORE: `file:${await temporaryFolder()}`,
    WORKERS: String(workers),
    LOG_LEVEL: 'debug',
    SIGNING_KEYS,
  };
  return { url: `http://127.0.0.1:${port}/healthz`, env };
}

const answers = (url: string) =>
  fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );

/** More than a pipe takes. */
async function logMuch(url: string): Promise<void> {
  for (let count = 0; count < 500; count++) expect(await answers(url)).toBe(true);
}

/** A pipe that stays open, and the file descriptor of both its ends. */
async function createPipe(): Promise<number> {
  const path = join(await temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [path]);
  return openSync(path, 'r+');
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

  it('answers and ends while nobody reads its log', async () => {
    const { url, env } = await serverEnvironment(workers);
    const pipe = await createPipe();
    const server = start(command, ['ignore', pipe, pipe], env);
    await until(() => answers(url));
    await logMuch(url);
    server.kill('SIGTERM');
    expect(await once(server, 'close')).toEqual([0, null]);
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
    const pipe = await createPipe();
    const program = start(`exec "$0" --import tsx ${LOG_PROGRAM}`, ['pipe', pipe, 'pipe']);
    const lost = async (lines: number) => {
      program.stdin?.write(`${lines}\n`);
      const [text] = await once(program.stderr as NonNullable<typeof program.stderr>, 'data');
      return Number.parseInt(String(text), 10);
    };
    expect(await lost(100)).toBe(0);
    // The pipe takes 64 KiB, the buffer 10,000 bytes.
    const total = await lost(20_000);
    expect(total).toBeGreaterThan(10_000);
    const lines = linesOf(pipe);
    for await (const line of lines) if (line === `lost ${total}: slow reader`) break;
    expect(await lost(1)).toBe(total);
  });

  it('is written to its end before the process ends', async () => {
    const program = start(`exec "$0" --import tsx ${LOG_PROGRAM}`, ['pipe', 'pipe', 'ignore']);
    program.stdin?.end('50\nexit\n');
    let text = '';
    for await (const chunk of program.stdout ?? []) text += chunk;
    expect(text.split('\n').slice(-3)).toEqual(['line 48', 'line 49', '']);
  });
});

async function* linesOf(fd: number): AsyncGenerator<string> {
  let text = '';
  for await (const chunk of createReadStream('', { fd })) {
    text += chunk;
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    yield* lines;
  }
}
