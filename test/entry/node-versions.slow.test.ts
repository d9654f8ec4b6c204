import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startOrigin, temporaryFolder } from '../support/http/service.ts';
import { fetchNode, WHY_NO_OTHER_NODE } from '../support/other-node.ts';
import { photograph } from '../support/pictures.ts';
import { runExecutable } from '../support/program.ts';
import { SIGNING_KEYS } from '../support/server-process.ts';

const VERSIONS = ['22.23.5', '24.22.3'];

/** A copy of the project, in which it is built: others use the `dist` of this one. */
let folder = '';

async function build(): Promise<void> {
  folder = await mkdtemp(join(tmpdir(), 'edgepress-node-versions-'));
  for (const name of ['package.json', 'tsconfig.json', 'infra', 'scripts', 'src'])
    await cp(name, join(folder, name), { recursive: true });
  await symlink(resolve('node_modules'), join(folder, 'node_modules'));
  const { PATH, HOME } = process.env;
  await promisify(execFile)('npm', ['run', '-s', 'build'], { cwd: folder, env: { PATH, HOME } });
}

describe.skipIf(WHY_NO_OTHER_NODE)(
  `What is built — ${WHY_NO_OTHER_NODE ?? 'Node 20 is in all other tests'}`,
  () => {
    beforeAll(async () => {
      await Promise.all([build(), ...VERSIONS.map(fetchNode)]);
    }, 180_000);
    afterAll(() => rm(folder, { recursive: true, force: true }));

    it.each(VERSIONS)('runs on Node %s: first picture, prewarm, purge, config', async (version) => {
      const node = await fetchNode(version);
      const photo = await photograph();
      const origin = await startOrigin((_request, response) => response.end(photo));
      const cwd = await temporaryFolder();
      const env = {
        ...{ STORE: 'file:store', PORT: '0', SIGNING_KEYS, PREWARM_WIDTHS: '160', PREWARM_EFFORT: 'fast' },
        ...{ SOURCE_ALLOW: `${origin.url}/*`, SOURCE_ALLOW_PRIVATE: origin.authority },
      };
      const server = runExecutable(node, [join(folder, 'dist/server.mjs')], env, cwd);
      const [, url = ''] = await server.printed(/"url":"([^"]+)".*"listening"/);
      async function edgepress(...args: string[]) {
        const command = [join(folder, 'dist/edgepress.mjs'), ...args];
        const { ended, output } = runExecutable(node, command, { ...env, PUBLIC_URL: url }, cwd);
        return { status: await ended, ...output };
      }

      const signed = await edgepress('sign', '--unit', 'a', '--src', `${origin.url}/a`, '--f', 'avif');
      const picture = await fetch(signed.stdout.trim());
      expect([picture.status, picture.headers.get('content-type')]).toEqual([200, 'image/avif']);

      await writeFile(join(cwd, 'units.jsonl'), JSON.stringify({ id: 'b', images: [`${origin.url}/b`] }));
      const prewarm = await edgepress('prewarm', 'units.jsonl', '--report', 'report.jsonl');
      expect(prewarm).toMatchObject({ status: 0, stderr: expect.stringMatching(/1 ready/) });
      expect(JSON.parse(await readFile(join(cwd, 'report.jsonl'), 'utf8'))).toMatchObject({ unit: 'b' });

      expect(await edgepress('purge', 'a', 'b')).toMatchObject({ status: 0 });
      const config = await edgepress('config', '--set', '--json');
      expect(JSON.parse(config.stdout)).toContainEqual(expect.objectContaining({ name: 'STORE' }));

      server.process.kill('SIGTERM');
      expect([await server.ended, server.output.stderr]).toEqual([0, '']);
    });
  },
);
