import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parseLines, setUpCommands } from '../support/command.ts';

/** The units `a`, `b` and `c` are ready, `done` has a broken image. */
async function setUpUnits() {
  const commands = await setUpCommands({ '/gone.jpg': (response) => response.writeHead(404).end() });
  const { src } = commands;
  const units = [
    ...['a', 'b', 'c'].map((id) => ({ id, images: [src('/a.jpg')] })),
    { id: 'done', images: [src('/gone.jpg')] },
  ];
  await commands.run(['prewarm', '-'], units.map((unit) => JSON.stringify(unit)).join('\n'));
  return commands;
}

describe('the command units', () => {
  it('lists all units with their states and ages, or those of one state', async () => {
    const { run } = await setUpUnits();
    const { status, stdout, stderr } = await run(['units']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(line).toMatch(/^(ready {2}|broken ) +\S.* {2}(a|b|c|done)$/);
    expect(lines.at(-1)).toMatch(/^broken .* {2}done$/);
    expect((await run(['units', '--state', 'pending'])).stdout).toBe('');
    const broken = await run(['units', '--state', 'broken', '--json']);
    expect(parseLines(broken.stdout)).toEqual([
      { id: 'done', state: 'broken', since: expect.stringMatching(/^20\S+Z$/) },
    ]);
  });

  it('lists in pages that together have every unit once', async () => {
    const { run } = await setUpUnits();
    const found: unknown[] = [];
    let more: string[] = [];
    for (let page = 0; page < 3; page++) {
      const { stdout, stderr } = await run(['units', ...more, '--limit', '2', '--json']);
      found.push(...parseLines(stdout).map(({ id }) => id));
      more = stderr.split('go on with ')[1]?.trim().split(' ') ?? [];
      if (more.length === 0) break;
    }
    expect(found.sort()).toEqual(['a', 'b', 'c']);
    expect(more).toEqual([]);
  });

  it('leaves out units that are younger than --older-than', async () => {
    const { run } = await setUpUnits();
    expect((await run(['units', '--older-than', '1d'])).stdout).toBe('');
    expect((await run(['units', '--older-than', '0s'])).stdout).not.toBe('');
  });

  it('ends with 1 and says what is wrong with an option, before the store is asked', async () => {
    const { run, folder } = await setUpCommands();
    const cases: [string[], RegExp][] = [
      [['--state', 'lost'], /pending, ready, broken, failed/],
      [['--older-than', 'yesterday'], /90s, 15m, 6h, 7d/],
      [['--after', 'a'], /--state/],
      [['--state', 'ready', '--after', 'a b'], /--after must be/],
      [['--limit', '0'], /whole number/],
    ];
    for (const [args, message] of cases) {
      const { status, stdout, stderr } = await run(['units', ...args]);
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toMatch(message);
    }
    expect(await readdir(folder)).toEqual([]);
  });
});
