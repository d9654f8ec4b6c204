import { execFileSync, spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { partsOf, SIGNING_KEY, SIGNING_VECTORS } from '../support/client/signing-vectors.ts';
import { temporaryFolder } from '../support/http/service.ts';
import { codeBlocksOf, readPage } from '../support/markdown.ts';
import { runExecutable } from '../support/program.ts';

const COMMAND = Object.entries(packageJson.bin)[0]?.[1] ?? '';
/** What npm needs to build the package and pack it. */
const FILES = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'];
const SOURCES = [...FILES, 'tsconfig.json', 'docs', 'examples', 'infra', 'scripts', 'src'];

/** Where the project is packed, for all tests: it takes a while. */
let folder = '';

/** Packs the project in a copy of it, and unpacks that beside its dependencies alone, as `npm install --omit=peer` leaves it. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgepress-package-'));
  const copy = join(folder, 'copy');
  await mkdir(copy);
  for (const name of SOURCES) await cp(name, join(copy, name), { recursive: true });
  await symlink(resolve('node_modules'), join(copy, 'node_modules'));
  run('npm', ['pack', '--silent', '--pack-destination', folder], copy);
  run('npm', ['pack', '--silent', './dist/client', '--pack-destination', folder], copy);
  await mkdir(join(folder, 'installed'));
  run('tar', ['xzf', join(folder, `edgepress-${packageJson.version}.tgz`)], join(folder, 'installed'));
  for (const name of Object.keys(packageJson.dependencies)) {
    const module = join(folder, 'installed', 'node_modules', name);
    await mkdir(dirname(module), { recursive: true });
    await symlink(resolve('node_modules', name), module);
  }
}, 180_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

function run(file: string, args: readonly string[], cwd: string): string {
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME };
  return execFileSync(file, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

describe('The package', () => {
  it('has the command, which serves, and works on files of the folder that it is called in', async () => {
    const installed = join(folder, 'installed', 'package');
    expect((await readdir(installed)).sort()).toEqual(
      [...FILES, 'dist', 'docs', 'examples', 'scripts'].sort(),
    );
    const elsewhere = await temporaryFolder();
    const edgepress = (args: readonly string[], env: Record<string, string> = {}) =>
      runExecutable(join(installed, COMMAND), args, env, elsewhere);

    const server = edgepress(['serve'], { PORT: '0' });
    await server.printed(/"listening"/);
    const [, variant = ''] = /avif balanced +[\d.]+ kB +(http\S+)/.exec(server.output.stdout) ?? [];
    expect((await fetch(variant)).headers.get('content-type')).toBe('image/avif');
    expect(await readdir(elsewhere)).toEqual(['demo-data']);

    const origin = new URL(new URL(variant).searchParams.get('src') ?? '');
    const unit = { id: 'a', images: [origin.href] };
    await writeFile(join(elsewhere, 'units.jsonl'), JSON.stringify(unit));
    const env = { SOURCE_ALLOW_PRIVATE: origin.host, STORE: 'file:store', PREWARM_WIDTHS: '160' };
    const prewarm = edgepress(['prewarm', 'units.jsonl', '--report', 'report.jsonl'], env);
    expect([await prewarm.ended, prewarm.output.stderr]).toEqual([0, expect.stringMatching(/1 ready/)]);
    expect(await readdir(elsewhere)).toEqual(expect.arrayContaining(['report.jsonl', 'store']));

    server.process.kill('SIGTERM');
    expect(await server.ended).toBe(0);
  });

  it('plans, though it has no options of a stack of its own', async () => {
    const command = join(folder, 'installed', 'package', COMMAND);
    const plan = runExecutable(command, ['plan', '--units-per-hour', '1000'], {}, await temporaryFolder());
    expect([await plan.ended, plan.output.stderr]).toEqual([0, '']);
    expect(plan.output.stdout).toMatch(/\$/);
  });
});

describe('The package without its peers', () => {
  it('does not start with a collector of OpenTelemetry, and says what to install', async () => {
    const env = { PORT: '0', STORE: 'file:store', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
    const command = join(folder, 'installed', 'package', COMMAND);
    const server = runExecutable(command, ['serve'], env, await temporaryFolder());
    expect(await server.ended).toBe(1);
    expect(server.output.stderr).toMatch(/OTEL_EXPORTER_OTLP_ENDPOINT .* install without --omit=peer\n/);
  });
});

describe('The command of a checkout', () => {
  it('runs from any folder, by way of a link too', async () => {
    const folder = await temporaryFolder();
    await symlink(resolve(COMMAND), join(folder, 'edgepress'));
    const version = runExecutable(join(folder, 'edgepress'), ['--version'], {}, folder);
    expect([await version.ended, version.output.stdout]).toEqual([0, `${packageJson.version}\n`]);
  });
});

const USE = `
const image = { baseUrl: 'https://images.test/', unit: 'unit-1', src: 'https://x.test/a.jpg' } as const;
export const parts: ImageUrlParts = image;
export const url: string = imageUrl({ ...image, width: 720 }, { id: 'k1', hex: '00' });
export const list: string = srcset({ ...image, widths: [720] });
export const html: string = picture({ ...image, widths: [720] }).html;
export const images: readonly { src: string }[] = readUnit({}).images;
// @ts-expect-error: there is no such tier
imageUrl({ ...image, tier: 'best' });
`;
const NAMES = 'imageUrl, srcset, picture, readUnit';
const ESM = (name: string) => `import { ${NAMES}, type ImageUrlParts } from '${name}';${USE}`;
const COMMON_JS = (name: string) =>
  `import client = require('${name}');\ntype ImageUrlParts = client.ImageUrlParts;\nconst { ${NAMES} } = client;${USE}`;
const PRINT_URL = `console.log(imageUrl({ baseUrl: 'https://images.test/', unit: 'unit-1', src: 'https://x.test/a.jpg' }))`;
const URL_PRINTED = 'https://images.test/u/unit-1?src=https%3A%2F%2Fx.test%2Fa.jpg\n';

describe('The package of the client', () => {
  /** A folder of a program that has installed it, and the whole package beside it. */
  async function installClient(): Promise<string> {
    const program = await temporaryFolder();
    await writeFile(join(program, 'package.json'), '{"private":true}');
    const tarball = join(folder, `edgepress-client-${packageJson.version}.tgz`);
    run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], program);
    await symlink(join(folder, 'installed', 'package'), join(program, 'node_modules', 'edgepress'));
    return program;
  }

  it('is small, and installs nothing beside itself', async () => {
    const program = await installClient();
    const modules = (await readdir(join(program, 'node_modules'))).filter((name) => !name.startsWith('.'));
    expect(modules.sort()).toEqual(['edgepress', 'edgepress-client']);
    const files = await readdir(join(program, 'node_modules', 'edgepress-client'));
    expect(files).toHaveLength(7);
    const tarball = await stat(join(folder, `edgepress-client-${packageJson.version}.tgz`));
    expect(tarball.size).toBeLessThan(30_000);
  });

  it.each(['edgepress-client', 'edgepress/client'])('is imported and required as %s', async (name) => {
    const program = await installClient();
    const esm = `import { imageUrl } from '${name}'; ${PRINT_URL}`;
    const commonJs = `const { imageUrl } = require('${name}'); ${PRINT_URL}`;
    expect(run('node', ['--input-type=module', '-e', esm], program)).toBe(URL_PRINTED);
    expect(run('node', ['--input-type=commonjs', '-e', commonJs], program)).toBe(URL_PRINTED);
  });

  it('is one file, which works where it is copied to', async () => {
    const program = await temporaryFolder();
    await cp(join(folder, 'copy/dist/client/edgepress-client.mjs'), join(program, 'edgepress-client.mjs'));
    await writeFile(
      join(program, 'a.mjs'),
      `import { imageUrl } from './edgepress-client.mjs'; ${PRINT_URL}`,
    );
    expect(run('node', ['a.mjs'], program)).toBe(URL_PRINTED);
  });

  it('needs nothing of the platform: neither Web Crypto, nor URL, TextEncoder or btoa', async () => {
    const code = await readFile(join(folder, 'copy/dist/client/edgepress-client.cjs'), 'utf8');
    const context = { module: { exports: {} as typeof import('../../src/client/client.ts') } };
    runInNewContext(code, context);
    const { imageUrl } = context.module.exports;
    expect(SIGNING_VECTORS.map((vector) => imageUrl(partsOf(vector), SIGNING_KEY))).toEqual(
      SIGNING_VECTORS.map(({ url }) => url),
    );
  });

  it('runs the programs of docs/apps.md and docs/signing.md as they are there', async () => {
    const program = await installClient();
    const blocks = ['docs/apps.md', 'docs/signing.md'].flatMap((page) => codeBlocksOf(readPage(page)));
    const programs = blocks.filter(
      ({ text }) => text.includes("from 'edgepress-client'") && !text.includes('nuxt'),
    );
    expect(programs).toHaveLength(3);
    for (const [index, { text }] of programs.entries()) {
      const file = `${index}.mjs`;
      await writeFile(join(program, file), text);
      expect(run('node', [file], program)).toBe('');
    }
  });

  it.each([
    ['bundler', 'esnext', ['a.ts', 'b.ts']],
    ['node16', 'node16', ['a.mts', 'b.mts', 'a.cts', 'b.cts']],
    ['nodenext', 'nodenext', ['a.mts', 'b.mts', 'a.cts', 'b.cts']],
  ])(
    'has types for tsc with the module resolution %s, and no types of others',
    async (moduleResolution, module, files) => {
      const program = await installClient();
      for (const file of files) {
        const name = file.startsWith('a') ? 'edgepress-client' : 'edgepress/client';
        await writeFile(join(program, file), (file.endsWith('.cts') ? COMMON_JS : ESM)(name));
      }
      const compilerOptions = {
        ...{ noEmit: true, strict: true, target: 'es2022', lib: ['es2022'], types: [] },
        ...{ moduleResolution, module },
      };
      await writeFile(join(program, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
      const { stdout } = spawnSync(resolve('node_modules/.bin/tsc'), { cwd: program, encoding: 'utf8' });
      expect(stdout).toBe('');
    },
  );
});
