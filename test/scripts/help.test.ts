import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { OPTION_NAMES } from '../../infra/options.ts';
import { createProgram } from '../../scripts/program.ts';
import { runCommandInProcess } from '../support/command.ts';

/** Every command with the words that lead to it; the first is the program itself. */
function commandsOf(command: Command, path: readonly string[] = []): { path: readonly string[] }[] {
  return [{ path }, ...command.commands.flatMap((one) => commandsOf(one, [...path, one.name()]))];
}

const COMMANDS = commandsOf(createProgram());
const CALL = /(?<![\w/.-])edgepress ((?:"[^"]*"|'[^']*'|[^\s|&)<>"']+| )+)/g;
/** What needs nothing but the command: no file, server or account. */
const RUN_HERE = ['sign', 'config', 'completion'];

/** The arguments of each call of the command in lines for a shell. */
function callsIn(lines: readonly string[]): string[][] {
  return lines.flatMap((line) =>
    [...line.matchAll(CALL)].map(([, args = '']) =>
      [...args.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, a, b, c]) => a ?? b ?? c ?? ''),
    ),
  );
}

/** The options of the stack in `-c edgepress.NAME=VALUE`; what else is given so is returned as it is, since nothing reads it. */
function stackOptionsIn(args: readonly string[]): string[] {
  return args.flatMap((arg, index) =>
    args[index - 1] === '-c' ? [arg.replace(/^edgepress\.([^=]+)=.*$/, '$1')] : [],
  );
}

async function examplesOf(path: readonly string[]): Promise<string[]> {
  const { status, stdout } = await runCommandInProcess([...path, '--help']);
  expect(status).toBe(0);
  const examples = stdout.split('\nExamples:\n')[1] ?? '';
  return examples.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('  #'));
}

/** Makes a command only parse its arguments. */
function withoutActions(command: Command): Command {
  command.exitOverride().configureOutput({ writeErr: () => {} });
  if (command.commands.length === 0) command.action(() => {});
  for (const one of command.commands) withoutActions(one);
  return command;
}

describe('The help', () => {
  it.each(COMMANDS)('of $path ends with examples that are right', async ({ path }) => {
    const examples = await examplesOf(path);
    expect(examples.length).toBeGreaterThanOrEqual(2);
    const calls = callsIn(examples);
    expect(calls.length).toBeGreaterThanOrEqual(examples.length);
    for (const args of calls) {
      await withoutActions(createProgram()).parseAsync(args, { from: 'user' });
      expect(OPTION_NAMES).toEqual(expect.arrayContaining(stackOptionsIn(args)));
      if (!RUN_HERE.includes(args[0] ?? '') || args.includes('-')) continue;
      expect(await runCommandInProcess(args)).toMatchObject({ status: 0 });
    }
    const own = calls.filter((args) => path.every((word, index) => args[index] === word));
    expect(own.length).toBeGreaterThanOrEqual(2);
  });

  it('of no command has one default twice, or one as JSON', async () => {
    for (const { path } of COMMANDS) {
      const { stdout } = await runCommandInProcess([...path, '--help']);
      const options = stdout.replaceAll(/\s+/g, ' ');
      expect([path, options.match(/\(default: (?:[^()]*\) \(default: |\{)[^)]*\)/)?.[0]]).toEqual([
        path,
        undefined,
      ]);
    }
  });

  it('has no colours where they are not shown, or not wanted', async () => {
    const help = async (env: Record<string, string>) => (await runCommandInProcess(['--help'], env)).stdout;
    expect(await help({})).not.toContain('\u001b[');
    expect(await help({ NO_COLOR: '1' })).not.toContain('\u001b[');
  });

  it('says where it is after a wrong option, and ends with 1', async () => {
    for (const { path } of COMMANDS.slice(1)) {
      const { status, stdout, stderr } = await runCommandInProcess([...path, '--nonsense']);
      expect([path, status]).toEqual([path, 1]);
      expect(stderr).toMatch(/^error: unknown option '--nonsense'$/m);
      expect(stderr).toContain(`edgepress ${path.join(' ')} --help`);
      expect(stdout).toBe(path[0] === 'env' ? 'false\n' : '');
    }
  });
});
