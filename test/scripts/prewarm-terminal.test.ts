import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { setUpCommands } from '../support/command.ts';

const run = promisify(execFile);

/** Leaves the terminal as it was found: lines are wrapped again, and nothing stands where the bar did. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: what terminals obey begins with one
const CLEARED = /\u001b\[\?7h\u001b\[1A\u001b\[1G\u001b\[0J1 unit in /;

/** Runs a command on a terminal, and returns all that is written there. */
async function runOnTerminal(args: readonly string[], env: Record<string, string>): Promise<string> {
  const command = [process.execPath, '--import', 'tsx', 'scripts/edgepress.ts', ...args];
  // Of util-linux, which no Debian is without. It ends as its command does: not at all well, with 2.
  const ended = run('script', ['-qefc', command.map((part) => `'${part}'`).join(' '), '/dev/null'], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TERM: 'xterm', ...env },
  });
  return (await ended.catch((error: { stdout: string }) => error)).stdout;
}

describe('the command prewarm, on a terminal', () => {
  it('draws a bar over itself while it works, and then clears it away for the report', async () => {
    const { environment, write, src } = await setUpCommands();
    const file = await write('units.jsonl', [{ id: 'a', images: [src('/1.jpg')] }, 'no unit']);
    const written = await runOnTerminal(['prewarm', file], environment);
    expect(written).toContain('░░░ 0%');
    expect(written).toContain('0 units, 0 images');
    expect(written).toMatch(CLEARED);
    expect(written).toMatch(/Refused:\r\n {2}line 2: it is no JSON object\r\n$/);
  });

  it('draws none between the lines that it prints there', async () => {
    const { environment, write, src } = await setUpCommands();
    const file = await write('units.jsonl', [{ id: 'a', images: [src('/1.jpg')] }]);
    const written = await runOnTerminal(['prewarm', file, '--json'], environment);
    expect(written).toMatch(/^\{"unit":"a".*\}\r\n1 unit in /);
    expect(written).not.toContain('\u001b');
  });

  it('says above the bar what fails, and draws it anew', async () => {
    const { environment, write, src, folder } = await setUpCommands();
    // Nothing can be put below a file.
    await mkdir(join(folder, 'store'));
    await write('store/v1', '');
    const file = await write('units.jsonl', [{ id: 'a', images: [src('/1.jpg')] }]);
    const written = await runOnTerminal(['prewarm', file], environment);
    expect(written).toContain('\u001b[1A\u001b[1G\u001b[0Ja: E');
    expect(written.slice(written.indexOf('a: E'))).toContain('░░░ ');
    expect(written).toMatch(CLEARED);
  });
});
