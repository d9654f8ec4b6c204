import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openTo, readConfig } from '../../src/config.ts';
import { VARIABLES } from '../../src/config-variables.ts';
import { DEPLOY } from '../support/deploy/proxies.ts';
import { temporaryFolder } from '../support/http/service.ts';
import { prepared } from '../support/setup/prepared.ts';

/** From 0 to 10, in tenths: `systemd-analyze security` calls up to 2.0 OK. */
const MAX_EXPOSURE = 15;
const NAMES = Object.values(VARIABLES).map(({ name }) => name);
const read = (file: string) => readFile(join(DEPLOY, 'systemd', file), 'utf8');

describe.skipIf(await prepared('deploy'))('the systemd unit', () => {
  /** A copy that names the Node of this machine. */
  async function copyUnit(edit = (text: string) => text): Promise<string> {
    const unit = await read('edgepress.service');
    expect(unit).toContain('ExecStart=/usr/bin/node ');
    const file = join(await temporaryFolder(), 'edgepress.service');
    await writeFile(file, edit(unit.replace('/usr/bin/node ', `${process.execPath} `)));
    return file;
  }

  it('has nothing that systemd finds fault with', async () => {
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', await copyUnit()], {
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    const wrong = await copyUnit((text) => text.replace('UMask=', 'UMaks='));
    expect(spawnSync('systemd-analyze', ['verify', wrong], { encoding: 'utf8' }).stderr).toContain('UMaks');
  });

  it('exposes little of the system, by the measure of systemd', async () => {
    const measure = async (edit?: (text: string) => string) =>
      spawnSync(
        'systemd-analyze',
        ['security', '--no-pager', '--offline=true', `--threshold=${MAX_EXPOSURE}`, await copyUnit(edit)],
        { encoding: 'utf8' },
      );
    const { status, stdout } = await measure();
    const exposure = /Overall exposure level[^:]*: (\d\.\d) OK/.exec(stdout)?.[1];
    expect([status, exposure]).toEqual([0, expect.any(String)]);
    expect(await readFile(join(DEPLOY, '../../docs/self-hosting.md'), 'utf8')).toContain(
      `\`systemd-analyze security\`: ${exposure}`,
    );
    expect((await measure((text) => text.replace('CapabilityBoundingSet=\n', ''))).status).toBe(1);
  });

  it('gives the server variables that it takes, and time to finish', async () => {
    const unit = await read('edgepress.service');
    const lines = (await read('environment')).split('\n').filter((line) => /^\w+=./.test(line));
    const own = (/^Environment=(.*)$/m.exec(unit)?.[1] ?? '').split(' ');
    const env = Object.fromEntries(
      [...own, ...lines].map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    const others = ['NODE_ENV', 'UV_THREADPOOL_SIZE', 'MALLOC_ARENA_MAX'];
    expect(Object.keys(env).filter((name) => !NAMES.includes(name) && !others.includes(name))).toEqual([]);
    const config = readConfig({ ...env, SIGNING_KEYS: `k1:${'ab'.repeat(32)}`, ADMIN_TOKEN: 'token-1234' });
    expect(openTo(config)).toEqual([]);
    expect(config.store).toEqual({ kind: 'file', root: '/var/lib/edgepress' });
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(30);
  });
});
