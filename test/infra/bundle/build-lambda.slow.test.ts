import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildLambda } from '../../../infra/bundle/build-lambda.ts';
import runtimeJson from '../../../infra/bundle/runtime/package.json' with { type: 'json' };
import packageJson from '../../../package.json' with { type: 'json' };

const MAX_BYTES = 50_000_000;
/** In the header of an ELF file (e_machine). */
const AARCH64 = 183;

type Files = ReadonlyMap<string, Buffer>;

describe('the code of the functions', () => {
  let files: Files;
  const folders: string[] = [];
  beforeAll(async () => {
    files = await build();
  });
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

  async function build(): Promise<Files> {
    const folder = await mkdtemp(join(tmpdir(), 'edgepress-lambda-'));
    folders.push(folder);
    buildLambda(folder, { cpu: 'arm64' });
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    const paths = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const names = paths.map((path) => path.slice(folder.length + 1)).sort();
    return new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
  }

  it('has less than 50 MB', () => {
    const bytes = [...files.values()].reduce((sum, file) => sum + file.byteLength, 0);
    process.stdout.write(`the code of the functions: ${(bytes / 1e6).toFixed(1)} MB, ${files.size} files\n`);
    expect(bytes).toBeLessThan(MAX_BYTES);
  });

  it('has binaries for arm64, whatever machine it is built on', () => {
    const binaries = [...files].filter(([name]) => /\.node$|\.so[.\d]*$/.test(name));
    expect(binaries.map(([name]) => name)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/sharp-linux-arm64/),
        expect.stringMatching(/libvips-cpp/),
      ]),
    );
    for (const [name, file] of binaries) expect(file.readUInt16LE(18), name).toBe(AARCH64);
  });

  it('has both handlers, the worker threads, the metric and the decoders', () => {
    expect([...files.keys()]).toEqual(
      expect.arrayContaining([
        'lambda-image.mjs',
        'lambda-worker.mjs',
        'magick-worker.mjs',
        'pdfium-worker.mjs',
        'metric-worker.mjs',
        'ssimulacra2.wasm',
        'node_modules/@imagemagick/magick-wasm/dist/x86/magick.wasm',
        'node_modules/@imagemagick/magick-wasm/NOTICE',
        'node_modules/@embedpdf/pdfium/dist/pdfium.wasm',
      ]),
    );
  });

  it('has the same version of sharp as the server', () => {
    expect(runtimeJson.dependencies.sharp).toBe(packageJson.dependencies.sharp);
  });

  it('is the same after each build', async () => {
    expect(hashOf(await build())).toBe(hashOf(files));
  });
});

function hashOf(files: Files): string {
  const hash = createHash('sha256');
  for (const [name, file] of files) hash.update(name).update(file);
  return hash.digest('hex');
}
