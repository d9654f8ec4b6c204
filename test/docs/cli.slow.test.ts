import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { createProgram } from '../../scripts/program.ts';
import { codeBlocksOf, readPage, tableOf } from '../support/markdown.ts';

const PAGE = 'docs/cli.md';

describe(PAGE, () => {
  it('has every command, and options that these have', () => {
    const rows = tableOf(PAGE, 'command');
    const documented = rows.flatMap(([names = '']) =>
      [...names.matchAll(/`([a-z:]+)/g)].map(([, name]) => name),
    );
    const { commands } = createProgram();
    expect([...new Set(documented)].sort()).toEqual(commands.map((command) => command.name()).sort());
    for (const [names = '', , options = ''] of rows) {
      const command = commands.find((one) => names.startsWith(`\`${one.name()}`));
      const known = [command, ...(command?.commands ?? [])].flatMap((one) => one?.options ?? []);
      const flags = known.flatMap(({ long, short }) => [long, short]);
      for (const [, flag] of options.matchAll(/`(-[a-z-]+)`/g))
        expect([names, flags]).toEqual([names, expect.arrayContaining([flag])]);
    }
  });

  it('shows what sign prints of its lines', () => {
    const [call, printed] = codeBlocksOf(readPage(PAGE));
    const command = call?.text.replace('npx edgepress', 'scripts/edgepress.sh') ?? '';
    const { PATH, HOME } = process.env;
    expect(execFileSync('sh', ['-c', command], { env: { PATH, HOME }, encoding: 'utf8' })).toBe(
      printed?.text,
    );
  });
});
