import { createReadStream, openSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, CommanderError } from 'commander';
import { type MockInstance, vi } from 'vitest';
import { runCommand } from '../../scripts/cli/command.ts';
import { createProgram } from '../../scripts/program.ts';
import { startOrigin, temporaryFolder } from './http/service.ts';
import { photograph } from './pictures.ts';
import { type Program, runProgram } from './program.ts';
import { prepared } from './setup/prepared.ts';
import type { Answers } from './unit/set-up-units.ts';

/** How a command ended, and what it printed. */
export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Starts a command in a process of its own, as it is built, with nothing of this environment but what Node needs. */
export async function startCommand(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Program> {
  const { folder } = await prepared('built');
  return runProgram(join(folder, 'dist/edgepress.mjs'), args, env);
}

/** Runs a command in a process of its own to its end. */
export async function runCommandProcess(
  args: readonly string[],
  env: Record<string, string> = {},
  input = '',
): Promise<Ended> {
  const program = await startCommand(args, env);
  program.process.stdin?.end(input);
  const status = await program.ended;
  return { status, ...program.output };
}

let isRunning = false;
// Each encode worker that was ever started pipes its output into those of this process.
for (const stream of [process.stdout, process.stderr]) stream.setMaxListeners(0);

/**
 * Runs a command to its end in this process, which takes a small part of the time of a process: with this environment, standard
 * input and arguments, and with standard output, standard error and the exit status captured. One at a time, because a process has
 * only one of each.
 *
 * @param create - returns the command line; by default that of `edgepress`
 */
export async function runCommandInProcess(
  args: readonly string[],
  env: Record<string, string> = {},
  input = '',
  create: () => Command = createProgram,
): Promise<Ended> {
  if (isRunning) throw new Error('a command is already running in this process');
  isRunning = true;
  const path = join(await temporaryFolder(), 'stdin');
  await writeFile(path, input);
  const stdin = createReadStream(path, { fd: openSync(path, 'r') });
  const before = { env: process.env, exitCode: process.exitCode };
  const stdout = vi.spyOn(process.stdout, 'write');
  const stderr = vi.spyOn(process.stderr, 'write');
  const output = { stdout: captureWrites(stdout), stderr: captureWrites(stderr) };
  const standardInput = vi.spyOn(process, 'stdin', 'get').mockReturnValue(stdin as never);
  // The last one was set as the commands were loaded.
  const { PATH, HOME, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED } = before.env;
  process.env = { PATH, HOME, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED, ...env };
  process.exitCode = undefined;
  try {
    const program = create();
    throwOnExit(program);
    await runCommand(program, args).catch(setExitCode);
    const status = Number(process.exitCode ?? 0);
    return { status, stdout: output.stdout(), stderr: output.stderr() };
  } finally {
    process.env = before.env;
    process.exitCode = before.exitCode;
    for (const spy of [stdout, stderr, standardInput]) spy.mockRestore();
    stdin.destroy();
    isRunning = false;
  }
}

/** Makes a command throw where the real command line exits. */
function throwOnExit(command: Command): void {
  command.exitOverride();
  for (const subcommand of command.commands) throwOnExit(subcommand);
}

function setExitCode(error: unknown): void {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode;
}

/** Returns a function for the text written so far. */
function captureWrites(write: MockInstance<typeof process.stdout.write>): () => string {
  let text = '';
  write.mockImplementation((chunk, ...rest) => {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString();
    const callback = rest.find((one) => typeof one === 'function') as (() => void) | undefined;
    callback?.();
    return true;
  });
  return () => text;
}

/**
 * What a command wrote to standard error, without the lines of progress: how many of these there are depends on how long the command
 * takes.
 */
export function withoutProgress(stderr: string): string {
  return stderr.replace(/^.*\bunits?(, .*images\/s, | queued).*\n/gm, '');
}

/** A folder as the store, an origin that serves a photograph at every path but those of `answers`, and the commands on both. */
export async function setUpCommands(answers: Answers = {}, env: Record<string, string> = {}) {
  const photo = await photograph();
  const origin = await startOrigin((request, response) => {
    const answer = answers[request.url ?? ''];
    if (answer) answer(response, request);
    else response.end(photo);
  });
  const folder = await temporaryFolder();
  const environment = {
    STORE: `file:${join(folder, 'store')}`,
    SOURCE_ALLOW_PRIVATE: origin.authority,
    PREWARM_WIDTHS: '160',
    ...env,
  };
  return {
    photo,
    origin,
    folder,
    environment,
    src: (path: string) => `${origin.url}${path}`,
    /** Starts a command in a process of its own. */
    start: (args: readonly string[], more: Record<string, string> = {}): Promise<Program> =>
      startCommand(args, { ...environment, ...more }),
    /** Runs a command to its end in this process, with this as its standard input. Lines of progress are left out. */
    async run(args: readonly string[], input = '', more: Record<string, string> = {}): Promise<Ended> {
      const { stderr, ...ended } = await runCommandInProcess(args, { ...environment, ...more }, input);
      return { ...ended, stderr: withoutProgress(stderr) };
    },
    /** Writes a file of these values, one a line, or of this text. Returns its path. */
    async write(name: string, lines: readonly unknown[] | string): Promise<string> {
      const path = join(folder, name);
      const text =
        typeof lines === 'string' ? lines : lines.map((line) => `${JSON.stringify(line)}\n`).join('');
      await writeFile(path, text);
      return path;
    },
  };
}

/** The values of NDJSON. */
export function parseLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
