import type { Command } from 'commander';

// The AWS SDK warns about the version of Node, in the middle of a progress bar. The server logs the same warning once.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

/** Ends a command with exit status 1 and this message, which says what is wrong and what to do. No stack trace is printed. */
export class CommandFailure extends Error {}

/**
 * Parses arguments and runs the command that they name. A {@link CommandFailure} is printed to standard error and sets the exit
 * status to 1.
 *
 * @param args - without the name of the program. Default: those of this process
 * @throws whatever else the command throws: a bug
 */
export async function runCommand(program: Command, args?: readonly string[]): Promise<void> {
  try {
    await (args ? program.parseAsync(args, { from: 'user' }) : program.parseAsync());
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}

/** The message of an error, or whatever else was thrown as text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Whether an error of an output stream says that its reader is gone, as after `| head`: a normal way to end, not a fault. */
export function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}
