import { get, type ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { samplesOf } from '../support/http/operator.ts';
import { startHeldOrigin, startOrigin, targetFor, until } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { runProgram } from '../support/program.ts';
import { SERVER } from '../support/server-process.ts';
import { ADMIN, request, startWorkers, WORKERS } from '../support/workers.ts';

describe('A server with several workers', { timeout: 60_000 }, () => {
  it('fetches and makes a variant once, whichever workers are asked for it', async () => {
    const { origin, held, answerAll } = await startHeldOrigin();
    const { url } = await startWorkers(origin.authority);
    const target = targetFor(`${origin.url}/a.jpg`, { width: 160 });
    const requests = Array.from({ length: 12 }, () => request(url, target));
    await until(() => held.length > 0);
    answerAll();
    expect(new Set(await Promise.all(requests))).toEqual(new Set([200]));
    expect(origin.requests).toHaveLength(1);
  });

  it('fetches no more from a host at a time than one process would', async () => {
    const photo = await photograph();
    const held: ServerResponse[] = [];
    let most = 0;
    const origin = await startOrigin((_request, response) => {
      most = Math.max(most, held.push(response));
    });
    const { url } = await startWorkers(origin.authority, { CONCURRENCY: '2' });
    const requests = Array.from({ length: 24 }, async (_, index) =>
      request(url, targetFor(`${origin.url}/${index}.jpg`, { width: 160 })),
    );
    for (let answered = 0; answered < requests.length; answered++) {
      await until(() => held.length >= Math.min(8, requests.length - answered));
      held.shift()?.end(photo);
    }
    expect(new Set(await Promise.all(requests))).toEqual(new Set([200]));
    expect(most).toBe(8);
  });

  it('serves the viewer who stays when all others leave, whichever worker made the variant for them', async () => {
    const { origin, held, answerAll } = await startHeldOrigin();
    const { url } = await startWorkers(origin.authority);
    const target = targetFor(`${origin.url}/a.jpg`, { width: 160 });
    const leaving = Array.from({ length: 12 }, () =>
      get(url + target, { agent: false }).on('error', () => {}),
    );
    await until(() => held.length > 0);
    const staying = request(url, target);
    for (const viewer of leaving) viewer.destroy();
    const isServed = staying.then(() => true);
    await until(async () => {
      answerAll();
      return await Promise.race([isServed, new Promise<boolean>((resolve) => setImmediate(resolve, false))]);
    });
    expect(await staying).toBe(200);
    expect(await request(url, target)).toBe(200);
  });

  it('finishes requests in flight on a signal, and exits with 0', async () => {
    const { origin, held, answerAll } = await startHeldOrigin();
    const { url, program } = await startWorkers(origin.authority);
    const requests = Array.from({ length: 6 }, async (_, index) =>
      request(url, targetFor(`${origin.url}/${index}.jpg`, { width: 160 })),
    );
    await until(() => held.length === 6);
    program.process.kill('SIGTERM');
    await program.printed(/finishing the work in flight/);
    answerAll();
    expect(await Promise.all(requests)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(await program.ended).toBe(0);
  });

  it('sums the metrics of its workers', async () => {
    const { origin } = await startHeldOrigin();
    const { url } = await startWorkers(origin.authority);
    for (let count = 0; count < 2 * WORKERS; count++) await request(url, '/healthz');
    const text = await (await fetch(`${url}/metrics`, { headers: ADMIN })).text();
    const samples = samplesOf(text);
    expect(samples.get('edgepress_requests_total{outcome="ok",code=""}')).toBe(2 * WORKERS);
    expect(samples.get('edgepress_queue_jobs')).toBe(0);
  });

  it('works on jobs that any of its workers has put on the queue', async () => {
    const photo = await photograph();
    const origin = await startOrigin((_request, response) => response.end(photo));
    const { url } = await startWorkers(origin.authority, { UPGRADE: 'on' });
    // One after the other, so that no worker finds the jobs of another along with its own.
    for (let image = 0; image < 8; image++) {
      expect(await request(url, targetFor(`${origin.url}/${image}.jpg`, { width: 160 }))).toBe(200);
      // Once for the viewer, and once for the upgrade.
      await until(() => origin.requests.length === 2 * (image + 1));
    }
  });

  it('does not start with a number of workers that is none', async () => {
    const program = runProgram(SERVER, [], { PORT: '0', WORKERS: 'many' });
    expect(await program.ended).toBe(1);
    expect(program.output.stderr).toContain('WORKERS: must be auto or a whole number from 1 to 64');
  });

  it('does not start at a port that is taken, and says so once', async () => {
    const { origin } = await startHeldOrigin();
    const { url } = await startWorkers(origin.authority);
    const second = runProgram(SERVER, [], {
      PORT: new URL(url).port,
      WORKERS: '2',
      SOURCE_ALLOW: 'https://nowhere.test/*',
    });
    expect(await second.ended).toBe(1);
    expect(second.output.stderr.match(/EADDRINUSE/g)).toHaveLength(1);
  });
});
