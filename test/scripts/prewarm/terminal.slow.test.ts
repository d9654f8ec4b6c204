import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { setUpCommands } from '../../support/command.ts';
import { prepared } from '../../support/setup/prepared.ts';

const run = promisify(execFile);

/** Line wrapping is enabled again, and the bar is erased before the summary. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal sequences begin with one
const CLEARED = /\u001b\[\?7h\u001b\[1A\u001b\[1G\u001b\[0J1 unit in /;

/** Runs a command on a terminal. Returns everything that it wrote there. */
async function runOnTerminal(args: readonly string[], env: Record<string, string>): Promise<string> {
  const { folder } = await prepared('built');
  const command = [process.execPath, join(folder, 'dist/edgepress.mjs'), ...args];
  // From util-linux, which every Debian has. It exits with the status of the command, which may be 2.
  const ended = run('script', ['-qefc', command.map((part) => `'${part}'`).join(' '), '/dev/null'], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TERM: 'xterm', ...env },
  });
  return (await ended.catch((error: { stdout: string }) => error)).stdout;
}

describe('the command prewarm on a terminal', () => {
  it('draws a progress bar, and erases it before the summary', async () => {
    const { environment, write, src } = await setUpCommands();
    const file = await write('units.jsonl', [{ id: 'a', images: [src('/1.jpg')] }, 'no unit']);
    const written = await runOnTerminal(['prewarm', file], environment);
    expect(written).toContain('░░░ 0%');
    expect(written).toContain('0 units, 0 images');
    expect(written).toMatch(CLEARED);
    expect(written).toMatch(/Refused:\r\n {2}line 2: it is not a JSON object: it begins with `.`\r\n$/);
  });

  it('draws no progress bar when its lines go to the same terminal', async () => {
    const { environment, write, src } = await setUpCommands();
    const file = await write('units.jsonl', [{ id: 'a', images: [src('/1.jpg')] }]);
    const written = await runOnTerminal(['prewarm', file, '--json'], environment);
    expect(written).toMatch(/^\{"unit":"a".*\}\r\n1 unit in /);
    expect(written).not.toContain('\u001b');
  });

  it('prints an error above the progress bar and draws the bar again', async () => {
    const { environment, write, src, folder } = await setUpCommands();
    // The store cannot create anything below a file.
    await mkdir(join(folder, 'store'));
    await write('store/v1', '');
    const file = await write('units.jsonl', [{ id: 'a', images: [src('/1.jpg')] }]);
    const written = await runOnTerminal(['prewarm', file], environment);
    expect(written).toContain('\u001b[1A\u001b[1G\u001b[0Ja: E');
    expect(written.slice(written.indexOf('a: E'))).toContain('░░░ ');
    expect(written).toMatch(CLEARED);
  });
});
