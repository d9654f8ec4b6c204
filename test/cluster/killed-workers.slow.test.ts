import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { samplesOf, unitLine } from '../support/http/operator.ts';
import { startHeldOrigin, startOrigin, targetFor, until } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import {
  ADMIN,
  isThere,
  killIfThere,
  request,
  requestImage,
  startWorkers,
  WORKERS,
} from '../support/workers.ts';

/** What would wait too long while workers are started is refused for the moment. */
async function requestUntilServed(url: string, target: string): Promise<number> {
  let status = 503;
  await until(async () => {
    status = await request(url, target);
    return status !== 503;
  });
  return status;
}

describe('A server with several workers', { timeout: 120_000 }, () => {
  it('loses nothing when its workers are killed under load, and starts others', async () => {
    const photo = await photograph();
    const origin = await startOrigin((_request, response) => response.end(photo));
    const { url, program, workerPids, submit, statusOf } = await startWorkers(origin.authority);
    const before = workerPids();
    const images = Array.from({ length: 30 }, (_, index) => `${origin.url}/unit-${index}.jpg`);
    expect((await submit(unitLine('unit-1', ...images))).status).toBe(202);
    const targets = await Promise.all(
      Array.from({ length: 40 }, (_, index) => targetFor(`${origin.url}/${index}.jpg`, { width: 160 })),
    );
    const requests = targets.map((target) => requestUntilServed(url, target));
    await until(() => origin.requests.length > 10);
    const [first = 0, ...others] = before;
    for (const pid of others) process.kill(pid, 'SIGKILL');
    const restarted = () => program.output.stdout.match(/a worker accepts requests again/g) ?? [];
    await until(() => restarted().length === others.length);
    // One of those that were there at first has worked on the queue.
    process.kill(first, 'SIGKILL');
    expect(new Set(await Promise.all(requests))).toEqual(new Set([200]));
    await until(async () => (await statusOf('unit-1')).totals.pending === 0);
    expect((await statusOf('unit-1')).totals).toMatchObject({ ready: 30, broken: 0 });
    for (const target of targets) {
      const { body } = await requestImage(url, target);
      // Throws if the file is cut off.
      await sharp(body, { failOn: 'warning' }).stats();
    }
    await until(() => restarted().length === before.length);
    expect(workerPids().filter((pid) => before.includes(pid))).toEqual([]);
  });

  it('ends when workers die again and again before they accept requests', async () => {
    const { origin } = await startHeldOrigin();
    const { program, workerPids } = await startWorkers(origin.authority);
    await until(() => {
      for (const pid of workerPids()) killIfThere(pid);
      return program.output.stdout.includes('the server ends');
    });
    expect(await program.ended).toBe(1);
  });

  it('comes back at the same port when all workers are killed at once', async () => {
    const { origin } = await startHeldOrigin();
    const { url, program, workerPids } = await startWorkers(origin.authority);
    for (const pid of workerPids()) killIfThere(pid);
    // A connection that is just being handed to a worker that dies is lost: Node's cluster never closes it.
    await until(() => (program.output.stdout.match(/a worker has died/g) ?? []).length >= WORKERS);
    expect(await request(url, '/healthz')).toBe(200);
  });

  it('answers with metrics while a killed worker is started again', async () => {
    const { origin } = await startHeldOrigin();
    const { url, program, workerPids } = await startWorkers(origin.authority);
    killIfThere(workerPids().at(-1) ?? 0);
    await program.printed(/a worker has died/);
    await until(() => workerPids().length === WORKERS);
    const { status, body } = await requestImage(url, '/metrics', ADMIN);
    expect(status).toBe(200);
    expect(samplesOf(body.toString()).get('edgepress_queue_jobs')).toBe(0);
  });

  it('ends its workers when it is killed itself', async () => {
    const { origin } = await startHeldOrigin();
    const { url, program, workerPids } = await startWorkers(origin.authority);
    const pids = workerPids();
    expect(pids).toHaveLength(WORKERS);
    program.process.kill('SIGKILL');
    await program.ended;
    await until(() => pids.every((pid) => !isThere(pid)));
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  });
});
