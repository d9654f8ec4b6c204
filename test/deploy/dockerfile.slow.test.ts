import { chown, cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { imageUrl } from '../../src/client/image-url.ts';
import { runContainer, runStep, whyNoContainers } from '../support/deploy/container.ts';
import { startOrigin, temporaryFolder } from '../support/http/service.ts';
import { applyDockerfile, type Stage } from '../support/infra/dockerfile.ts';
import { photograph } from '../support/pictures.ts';
import { prepared } from '../support/setup/prepared.ts';

// The files of this machine must not change under an overlay: what was read of them and what is read next would not fit.
await prepared('settled');

const ROOT = join(import.meta.dirname, '../..');
const KEY = `k1:${'ab'.repeat(32)}`;
const read = (file: string) => readFile(join(ROOT, file), 'utf8');

/** Copies what .dockerignore lets through. */
async function buildContext(): Promise<string> {
  const context = await temporaryFolder();
  const [all, ...allowed] = (await read('.dockerignore')).split('\n').filter((line) => /^[^#]/.test(line));
  expect(all).toBe('*');
  for (const name of allowed)
    await cp(join(ROOT, name.slice(1)), join(context, name.slice(1)), { recursive: true });
  return context;
}

/** What all stages but the last need is what this checkout has already, by the same lock file. */
async function runOrLink(command: string, stage: Stage): Promise<void> {
  if (command === 'npm ci')
    await symlink(join(ROOT, 'node_modules'), join(stage.program.cwd, 'node_modules'));
  else await runStep(command, stage);
}

describe('the Dockerfile', () => {
  it('has the base image and the variables of the workers on AWS', async () => {
    const [own, workers] = [await read('Dockerfile'), await read('infra/bundle/worker-image/Dockerfile')];
    const shared = workers.split('\n').filter((line) => /^(FROM|ENV) (?!PAGES)/.test(line));
    for (const line of shared) expect(own.split('\n')).toContain(line);
  });
});

describe.skipIf(whyNoContainers())('a container of the image', () => {
  it('serves from a read-only file system without being root, says that it is healthy, runs commands, and drains on SIGTERM', async () => {
    const root = join(await temporaryFolder(), 'image');
    await mkdir(root);
    const program = await applyDockerfile(await read('Dockerfile'), {
      context: await buildContext(),
      root,
      run: runOrLink,
    });
    expect(program).toMatchObject({
      user: '1000:1000',
      volumes: ['/data'],
      command: ['node', 'dist/server.mjs'],
    });
    const data = await temporaryFolder();
    await chown(data, 1000, 1000);

    const unsafe = runContainer(root, data, program, { PORT: '0' });
    expect(await unsafe.ended).not.toBe(0);
    expect(unsafe.output.stderr + unsafe.output.stdout).toMatch(/HOST: 0\.0\.0\.0 .*set SIGNING_KEYS/);

    const photo = await photograph();
    const origin = await startOrigin((_request, response) => response.end(photo));
    const env = { SIGNING_KEYS: KEY, SOURCE_ALLOW_PRIVATE: origin.authority };
    const server = runContainer(root, data, program, { ...env, PORT: '0' });
    const [, port = ''] = await server.printed(/"url":"http:\/\/[^"]*:(\d+)".*"listening"/);
    const baseUrl = `http://127.0.0.1:${port}`;
    const url = imageUrl(
      { baseUrl, unit: 'unit-1', src: `${origin.url}/a.jpg`, width: 160, format: 'avif' },
      KEY,
    );
    for (const cacheStatus of ['edgepress; fwd=miss; stored', 'edgepress; hit']) {
      const response = await fetch(url);
      expect([response.status, response.headers.get('cache-status')]).toEqual([200, cacheStatus]);
    }

    const probe = { ...env, PORT: port };
    const healthy = runContainer(root, data, program, probe, program.healthcheck);
    expect([await healthy.ended, healthy.output.stderr]).toEqual([0, '']);
    const unhealthy = runContainer(root, data, program, { ...env, PORT: '1' }, program.healthcheck);
    expect(await unhealthy.ended).toBe(1);

    const purge = runContainer(root, data, program, probe, ['edgepress', 'purge', 'unit-1']);
    expect([await purge.ended, purge.output.stdout]).toEqual([
      0,
      expect.stringMatching(/^unit-1: 1 object, /),
    ]);
    const intruder = runContainer(root, data, program, probe, ['sh', '-c', 'id -u; touch /app/x']);
    expect([await intruder.ended, intruder.output.stdout]).toEqual([1, '1000\n']);
    expect(intruder.output.stderr).toContain('Read-only file system');

    server.process.kill('SIGTERM');
    expect(await server.ended).toBe(0);
  }, 300_000);
});
