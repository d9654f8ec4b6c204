import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { buildLambda } from '../../../infra/bundle/build-lambda.ts';
import runtimeJson from '../../../infra/bundle/runtime/package.json' with { type: 'json' };
import packageJson from '../../../package.json' with { type: 'json' };

const MAX_BYTES = 30_000_000;
/** In the header of an ELF file (e_machine). */
const AARCH64 = 183;

it('builds for arm64 whatever this machine is, the same each time, in less than 30 MB', async () => {
  const [first, second] = [await build(), await build()];
  const bytes = [...first.values()].reduce((sum, file) => sum + file.byteLength, 0);
  process.stdout.write(
    `the artifact of the functions: ${(bytes / 1e6).toFixed(1)} MB, ${first.size} files\n`,
  );
  expect(bytes).toBeLessThan(MAX_BYTES);
  expect(hashOf(second)).toBe(hashOf(first));

  const binaries = [...first].filter(([name]) => /\.node$|\.so[.\d]*$/.test(name));
  expect(binaries.map(([name]) => name)).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/sharp-linux-arm64/),
      expect.stringMatching(/libvips-cpp/),
    ]),
  );
  for (const [name, file] of binaries) expect(file.readUInt16LE(18), name).toBe(AARCH64);
  expect([...first.keys()]).toEqual(
    expect.arrayContaining([
      'lambda-image.mjs',
      'lambda-worker.mjs',
      'hevc-worker.mjs',
      'metric-worker.mjs',
      'ssimulacra2.wasm',
    ]),
  );
});

it('has the sharp that the server has', () => {
  expect(runtimeJson.dependencies.sharp).toBe(packageJson.dependencies.sharp);
});

async function build(): Promise<Map<string, Buffer>> {
  const folder = await mkdtemp(join(tmpdir(), 'edgepress-lambda-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  buildLambda(folder, { cpu: 'arm64' });
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const names = paths.map((path) => path.slice(folder.length + 1)).sort();
  return new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
}

function hashOf(files: ReadonlyMap<string, Buffer>): string {
  const hash = createHash('sha256');
  for (const [name, file] of files) hash.update(name).update(file);
  return hash.digest('hex');
}
