import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { fuzzCommand } from '../../scripts/fuzz/fuzz-command.ts';
import { type Ended, runCommandInProcess } from '../support/command.ts';
import { temporaryFolder } from '../support/http/service.ts';
import { runProgram } from '../support/program.ts';
import { SERVER } from '../support/server-process.ts';

const SEED = ['--seed', '7'];

/** Sends URLs to a server that has a fault. */
async function fuzzBroken(fault: string, args: readonly string[]) {
  const failures = await temporaryFolder();
  const server = join(await temporaryFolder(), 'broken-server.mjs');
  // As JavaScript it starts in a fraction of the time.
  buildSync({ entryPoints: ['test/support/fuzz/broken-server.ts'], format: 'esm', outfile: server });
  const all = [...SEED, '--failures', failures, ...args, '--server', server];
  const ended: Ended = await runCommandInProcess(all, { FAULT: fault }, '', fuzzCommand);
  return { ...ended, files: await readdir(failures) };
}

describe('npm run fuzz', () => {
  it('finds nothing in the service', { timeout: 120_000 }, async () => {
    const failures = await temporaryFolder();
    const args = [...SEED, '--failures', failures, '--runs', '400', '--server', SERVER];
    const { ended, output } = runProgram('scripts/fuzz.ts', args);
    const status = await ended;
    expect(output.stdout).toMatch(/\n400 inputs, 0 failures\n$/);
    expect({ status, files: await readdir(failures) }).toEqual({ status: 0, files: [] });
  });

  it.each([
    ['internal', /urls: internal: a bug/],
    ['no problem document', /urls: 400 is no problem document: text\/plain/],
    ['half an image', /urls: an image\/png of \d+ bytes that does not decode/],
    ['exit', /watch: the server ended with 3/],
  ])(
    'finds a fault of a server, and sends the input again: %s',
    { timeout: 120_000 },
    async (fault, finding) => {
      const { status, stdout } = await fuzzBroken(fault, ['--runs', '30', '--only', 'urls']);
      expect(stdout).toMatch(finding);
      expect(status).toBe(1);
      const [, file = ''] = new RegExp(`${finding.source}.*\\n.*--replay (.+)`).exec(stdout) ?? [];
      const again = await fuzzBroken(fault, ['--replay', file]);
      expect(again.status).toBe(1);
    },
  );

  it('makes the same inputs of the same seed', { timeout: 120_000 }, async () => {
    const args = ['--runs', '50', '--only', 'urls'];
    const [first, second] = [await fuzzBroken('internal', args), await fuzzBroken('internal', args)];
    expect(first.files.length).toBeGreaterThan(0);
    const named = ({ files }: typeof first) => files.map((name) => name.replace(/-\d+\.json$/, '')).sort();
    expect(named(first)).toEqual(named(second));
  });
});
