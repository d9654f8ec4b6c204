import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SIGNING_KEY, SIGNING_VECTORS } from '../support/client/signing-vectors.ts';
import { temporaryFolder } from '../support/http/service.ts';
import { readPage } from '../support/markdown.ts';
import { findProgram } from '../support/setup/debian.ts';
import { prepared } from '../support/setup/prepared.ts';

// What is missing is skipped by itself.
await prepared('languages');

const FOLDER = 'examples/signing';
const COMPILE_MS = 180_000;

interface Signer {
  file: string;
  /** The programs that it takes. */
  programs: readonly string[];
  /** Compiles it, where it has to be; run in a folder of its own that has the file. */
  compile?: readonly string[];
  run: readonly string[];
}

const SIGNERS: readonly Signer[] = [
  { file: 'sign.mjs', programs: ['node'], run: ['node', 'sign.mjs'] },
  { file: 'sign.py', programs: ['python3'], run: ['python3', 'sign.py'] },
  { file: 'sign.sh', programs: ['sh', 'openssl'], run: ['sh', 'sign.sh'] },
  { file: 'sign.pl', programs: ['perl'], run: ['perl', 'sign.pl'] },
  { file: 'sign.php', programs: ['php'], run: ['php', 'sign.php'] },
  { file: 'sign.rb', programs: ['ruby'], run: ['ruby', 'sign.rb'] },
  { file: 'sign.go', programs: ['go'], compile: ['go', 'build', '-o', 'sign', 'sign.go'], run: ['./sign'] },
  {
    file: 'Sign.java',
    programs: ['javac', 'java'],
    compile: ['javac', 'Sign.java'],
    run: ['java', '-XX:TieredStopAtLevel=1', '-cp', '.', 'Sign'],
  },
  {
    file: 'sign.kt',
    programs: ['kotlinc', 'java'],
    compile: ['kotlinc', 'sign.kt', '-include-runtime', '-d', 'sign.jar'],
    run: ['java', '-XX:TieredStopAtLevel=1', '-jar', 'sign.jar'],
  },
  // `xcrun` is on macOS only, as CryptoKit is.
  { file: 'sign.swift', programs: ['xcrun'], run: ['xcrun', 'swift', 'sign.swift'] },
];

/** Runs a command in a folder. Returns what it prints, without the last line break. */
async function run([program = '', ...args]: readonly string[], folder: string): Promise<string> {
  // Java reads its arguments in the encoding of the locale; Go wants a folder for what it compiles.
  const env = { PATH: process.env['PATH'], HOME: folder, GOCACHE: join(folder, 'cache'), LC_ALL: 'C.UTF-8' };
  const { stdout } = await promisify(execFile)(program, args, { cwd: folder, env });
  return stdout.trimEnd();
}

describe('The programs in examples/signing', () => {
  it('are all run here, and all named in docs/signing.md', () => {
    const files = readdirSync(FOLDER).sort();
    expect(SIGNERS.map(({ file }) => file).sort()).toEqual(files);
    const page = readPage('docs/signing.md');
    expect(files.filter((file) => !page.includes(`${FOLDER}/${file}`))).toEqual([]);
  });

  for (const { file, programs, compile, run: command } of SIGNERS) {
    const missing = programs.filter((program) => findProgram(program) === undefined);
    const reason = missing.length > 0 ? ` (not run: there is no ${missing.join(', ')})` : '';
    const options = { timeout: COMPILE_MS, skip: missing.length > 0 };
    it(`${file} signs every test vector as it is there${reason}`, options, async () => {
      const folder = await temporaryFolder();
      await copyFile(join(FOLDER, file), join(folder, basename(file)));
      if (compile) await run(compile, folder);
      const signed: string[] = [];
      for (const { unit, src, target } of SIGNING_VECTORS)
        signed.push(await run([...command, SIGNING_KEY, unit, src, ...target.split('&').slice(1)], folder));
      expect(signed).toEqual(SIGNING_VECTORS.map(({ target, sig }) => `${target}&sig=${sig}`));
    });
  }
});
