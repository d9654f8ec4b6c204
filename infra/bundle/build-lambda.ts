import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { buildSync } from 'esbuild';

/** What the bundled programs run on. */
export interface BundleTarget {
  cpu: 'arm64' | 'x64';
}

const ROOT = join(import.meta.dirname, '../..');
const RUNTIME = join(import.meta.dirname, 'runtime');
const METRIC = 'ssimulacra2.wasm';
/** Read by src/decode/decoders/decoder-thread.ts. The rest of these packages is bundled or not needed. */
const DECODER_MODULES = ['@imagemagick/magick-wasm/magick.wasm', '@embedpdf/pdfium/pdfium.wasm'];
/** The oldest Node that the functions are tested on. */
const NODE = 'node20';
/** Defines what CommonJS packages expect and ES modules lack. */
const COMMONJS_GLOBALS = [
  "import{createRequire}from'node:module'",
  'const require=createRequire(import.meta.url),__dirname=import.meta.dirname,__filename=import.meta.filename;',
].join(';');

/**
 * Builds the code of both functions into one folder: `lambda-image.handler` and `lambda-worker.handler`. What is imported lazily is
 * in files of its own; sharp, with the binaries of the target, is in `node_modules`. The build is reproducible.
 *
 * @param folder - exists, and is empty
 * @throws Error when the build fails, or sharp cannot be downloaded
 */
export function buildLambda(folder: string, target: BundleTarget): void {
  const entryPoints = {
    'lambda-image': 'src/entry/lambda-image.ts',
    'lambda-worker': 'src/entry/lambda-worker.ts',
  };
  bundleEntries(folder, entryPoints, target);
}

/**
 * Bundles programs into a folder, with what they load by file name.
 *
 * @param entryPoints - the source of each program, by its name
 * @throws Error when the build fails, or sharp cannot be downloaded
 */
export function bundleEntries(
  folder: string,
  entryPoints: Readonly<Record<string, string>>,
  { cpu }: BundleTarget,
): void {
  buildSync({
    absWorkingDir: ROOT,
    entryPoints: {
      ...entryPoints,
      // Worker threads, loaded by file name from the folder of the code that starts them.
      'magick-worker': 'src/decode/decoders/magick-worker.mjs',
      'pdfium-worker': 'src/decode/decoders/pdfium-worker.mjs',
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
    banner: { js: COMMONJS_GLOBALS },
    // Loads faster, and stack traces still name functions.
    minify: true,
    keepNames: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  // Read by metric-worker.mjs.
  copyFileSync(join(ROOT, 'src/encode', METRIC), join(folder, METRIC));
  for (const file of ['package.json', 'package-lock.json'])
    copyFileSync(join(RUNTIME, file), join(folder, file));
  const platform = ['--os=linux', `--cpu=${cpu}`, '--libc=glibc'];
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  execFileSync('npm', ['ci', ...platform, ...flags], { cwd: folder, stdio: ['ignore', 2, 2] });
  for (const module of DECODER_MODULES) copyFromPackage(module, folder);
  // It contains the time of the installation.
  rmSync(join(folder, 'node_modules/.package-lock.json'), { force: true });
}

/** Copies one file of a package, with what says where in the package it is, and its licences. */
function copyFromPackage(specifier: string, folder: string): void {
  const file = createRequire(import.meta.url).resolve(specifier);
  const root = join(ROOT, 'node_modules', specifier.split('/').slice(0, 2).join('/'));
  const texts = readdirSync(root).filter((name) => /^(package\.json|LICENSE.*|NOTICE)$/.test(name));
  for (const path of [file, ...texts.map((name) => join(root, name))]) {
    const target = join(folder, relative(ROOT, path));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(path, target);
  }
}
