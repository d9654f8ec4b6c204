import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { startOrigin, temporaryFolder } from '../support/http/service.ts';
import { fetchNode, WHY_NO_OTHER_NODE } from '../support/other-node.ts';
import { photograph } from '../support/pictures.ts';
import { runExecutable } from '../support/program.ts';
import { SIGNING_KEYS } from '../support/server-process.ts';
import { prepared } from '../support/setup/prepared.ts';

const VERSIONS = ['22.23.5', '24.22.3'];

const { folder } = await prepared('built');

describe.skipIf(WHY_NO_OTHER_NODE)(
  `What is built — ${WHY_NO_OTHER_NODE ?? 'Node 20 is in all other tests'}`,
  () => {
    beforeAll(async () => {
      await Promise.all(VERSIONS.map(fetchNode));
    }, 180_000);

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
