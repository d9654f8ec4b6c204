import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/http/service.ts';
import { runProgram } from '../support/program.ts';

const BROKEN_SERVER = 'test/support/fuzz/broken-server.ts';

async function fuzz(args: readonly string[], env: Record<string, string> = {}) {
  const failures = await temporaryFolder();
  const { ended, output } = runProgram(
    'scripts/fuzz.ts',
    ['--seed', '7', '--failures', failures, ...args],
    env,
  );
  const status = await ended;
  return { status, ...output, files: await readdir(failures) };
}

describe('npm run fuzz', () => {
  it('finds nothing in the service', { timeout: 120_000 }, async () => {
    const { status, stdout, files } = await fuzz(['--runs', '400']);
    expect(stdout).toMatch(/\n400 inputs, 0 failures\n$/);
    expect({ status, files }).toEqual({ status: 0, files: [] });
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
      const broken = ['--server', BROKEN_SERVER];
      const { status, stdout } = await fuzz(['--runs', '30', '--only', 'urls', ...broken], {
        FAULT: fault,
      });
      expect(stdout).toMatch(finding);
      expect(status).toBe(1);
      const [, file = ''] = new RegExp(`${finding.source}.*\\n.*--replay (.+)`).exec(stdout) ?? [];
      const again = await fuzz(['--replay', file, ...broken], { FAULT: fault });
      expect(again.status).toBe(1);
    },
  );

  it('makes the same inputs of the same seed', { timeout: 120_000 }, async () => {
    const args = ['--runs', '50', '--only', 'urls', '--server', BROKEN_SERVER];
    const [first, second] = [
      await fuzz(args, { FAULT: 'internal' }),
      await fuzz(args, { FAULT: 'internal' }),
    ];
    expect(first.files.length).toBeGreaterThan(0);
    const named = ({ files }: typeof first) => files.map((name) => name.replace(/-\d+\.json$/, '')).sort();
    expect(named(first)).toEqual(named(second));
  });
});
