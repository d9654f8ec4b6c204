import { execFileSync } from 'node:child_process';
import { cp, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { temporaryFolder } from '../support/http/service.ts';
import { runExecutable } from '../support/program.ts';

const COMMAND = Object.entries(packageJson.bin)[0]?.[1] ?? '';
/** What npm needs to build the package and pack it. */
const FILES = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md'];
const SOURCES = [...FILES, 'docs', 'examples', 'infra', 'scripts', 'src'];

/** Packs the project in a copy of it, and unpacks that beside the modules of this project. Returns the folder of the package. */
async function packAndInstall(): Promise<string> {
  const folder = await temporaryFolder();
  const copy = join(folder, 'copy');
  await mkdir(copy);
  for (const name of SOURCES) await cp(name, join(copy, name), { recursive: true });
  await symlink(resolve('node_modules'), join(copy, 'node_modules'));
  const { PATH, HOME } = process.env;
  const run = (file: string, args: string[], cwd: string) =>
    execFileSync(file, args, {
      cwd,
      env: { PATH, HOME },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  run('npm', ['pack', '--silent', '--pack-destination', folder], copy);
  await mkdir(join(folder, 'installed'));
  run('tar', ['xzf', join(folder, `edgepress-${packageJson.version}.tgz`)], join(folder, 'installed'));
  await symlink(resolve('node_modules'), join(folder, 'installed', 'node_modules'));
  return join(folder, 'installed', 'package');
}

describe('The package', () => {
  it('has the command, which serves, and works on files of the folder that it is called in', async () => {
    const installed = await packAndInstall();
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
});

describe('The command of a checkout', () => {
  it('runs from any folder, by way of a link too', async () => {
    const folder = await temporaryFolder();
    await symlink(resolve(COMMAND), join(folder, 'edgepress'));
    const version = runExecutable(join(folder, 'edgepress'), ['--version'], {}, folder);
    expect([await version.ended, version.output.stdout]).toEqual([0, `${packageJson.version}\n`]);
  });
});
