import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startOrigin, temporaryFolder } from './http/service.ts';
import { photograph } from './pictures.ts';
import { type Program, runProgram } from './setup/program.ts';
import type { Answers } from './unit/unit-world.ts';

/** What AWS clients sign with. */
export const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret' };

/** How a command ended, and what it printed. */
export interface Ended {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** A folder as store, a client's server with a photograph at every path but those named, and the commands on both. */
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
  const start = (args: readonly string[], more: Record<string, string> = {}): Program =>
    runProgram('scripts/edgepress.ts', args, { ...environment, ...more });
  return {
    photo,
    origin,
    folder,
    environment,
    src: (path: string) => `${origin.url}${path}`,
    start,
    /** Runs a command to its end, with this as its standard input. */
    async run(args: readonly string[], input = '', more: Record<string, string> = {}): Promise<Ended> {
      const program = start(args, more);
      program.process.stdin?.end(input);
      return { status: await program.ended, ...program.output };
    },
    /** Writes a file of these values, a line each, or of this text. */
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
