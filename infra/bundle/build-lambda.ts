import { execFileSync } from 'node:child_process';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

/** Where the functions run. */
export interface LambdaTarget {
  cpu: 'arm64' | 'x64';
}

const ROOT = join(import.meta.dirname, '../..');
const RUNTIME = join(import.meta.dirname, 'runtime');
const METRIC = 'ssimulacra2.wasm';
/** The oldest Node that they are tested on. */
const NODE = 'node20';
/** What packages that are not modules look for. */
const NOT_A_MODULE = [
  "import{createRequire}from'node:module'",
  'const require=createRequire(import.meta.url),__dirname=import.meta.dirname,__filename=import.meta.filename;',
].join(';');

/**
 * Builds what Lambda runs, both functions in one folder: `lambda-image.handler` and `lambda-worker.handler`. What they load only
 * now and then lies in files of its own; sharp, with the binaries of the target, in `node_modules`. The same sources make the same
 * files.
 *
 * @param folder - exists, and is empty
 * @throws Error when it cannot be built, or sharp cannot be fetched
 */
export function buildLambda(folder: string, { cpu }: LambdaTarget): void {
  buildSync({
    absWorkingDir: ROOT,
    entryPoints: {
      'lambda-image': 'src/entry/lambda-image.ts',
      'lambda-worker': 'src/entry/lambda-worker.ts',
      // Loaded by their names, beside whatever file decodes and encodes.
      'hevc-worker': 'src/encode/hevc-worker.mjs',
      'metric-worker': 'src/encode/metric-worker.mjs',
    },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: NODE,
    external: ['sharp'],
    banner: { js: NOT_A_MODULE },
    // Shorter to load, and traces still name functions.
    minify: true,
    keepNames: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  // Read by the worker that scores.
  copyFileSync(join(ROOT, 'src/encode', METRIC), join(folder, METRIC));
  for (const file of ['package.json', 'package-lock.json'])
    copyFileSync(join(RUNTIME, file), join(folder, file));
  const platform = ['--os=linux', `--cpu=${cpu}`, '--libc=glibc'];
  const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['ci', ...platform, ...quietly], { cwd: folder, stdio: ['ignore', 2, 2] });
  // It says when it was installed.
  rmSync(join(folder, 'node_modules/.package-lock.json'), { force: true });
}
