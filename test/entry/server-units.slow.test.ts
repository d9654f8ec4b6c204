import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import pMap from 'p-map';
import { describe, expect, it } from 'vitest';
import type { UnitStatus } from '../../src/unit/status.ts';
import { samplesOf, TOKEN, unitLine } from '../support/http/operator.ts';
import { startHeldOrigin, startOrigin, until } from '../support/http/service.ts';
import { quarters } from '../support/pictures.ts';
import { startServer } from '../support/server-process.ts';

const AUTHORIZATION = { Authorization: `Bearer ${TOKEN}` };
/** No source is allowed, so that each image is broken without a fetch. */
const FORBIDDING = { SOURCE_ALLOW: 'https://nowhere.test/*' };
const SRC = 'https://images.test/a.jpg';

/** Starts the server in a process of its own, for requests with the admin token. */
async function startOperated(env: Record<string, string> = {}) {
  const started = await startServer({
    ADMIN_TOKEN: TOKEN,
    PREWARM_WIDTHS: '160',
    PREWARM_FORMATS: 'webp',
    ...env,
  });
  const ask = (method: string, path: string, body?: NonNullable<RequestInit['body']>) =>
    fetch(started.url + path, {
      method,
      headers: AUTHORIZATION,
      ...(body !== undefined && { body, duplex: 'half' as const }),
    });
  const statusOf = async (id: string) => (await (await ask('GET', `/units/${id}`)).json()) as UnitStatus;
  return {
    ...started,
    ask,
    statusOf,
    restart: () => startOperated({ ...env, STORE: `file:${started.folder}` }),
    /** Opens a raw connection and sends the start of a request. */
    async sendStart(target: string, headers: readonly string[], body: string) {
      const { hostname, port } = new URL(started.url);
      const socket = connect(Number(port), hostname);
      const all = ['Host: a', `Authorization: Bearer ${TOKEN}`, ...headers];
      socket.write(`POST ${target} HTTP/1.1\r\n${all.join('\r\n')}\r\n\r\n${body}`);
      await once(socket, 'connect');
      return socket;
    },
    metrics: async () => samplesOf(await (await ask('GET', '/metrics')).text()),
  };
}

/** Returns a body of lines that are made when they are read. */
function streamOf(
  count: number,
  line: (index: number) => string | Promise<string>,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let index = 0;
  return new ReadableStream({
    async pull(controller) {
      // Yields to the event loop, so that the test can notice a response.
      await new Promise((resolve) => setImmediate(resolve));
      if (index === count) controller.close();
      else controller.enqueue(encoder.encode(await line(index++)));
    },
  });
}

describe('The unit routes of the server', () => {
  it('return URLs that work where the server listens', async () => {
    const photo = await quarters().jpeg().toBuffer();
    const origin = await startOrigin((_request, response) => response.end(photo));
    const { ask, statusOf } = await startOperated({ SOURCE_ALLOW_PRIVATE: origin.authority });
    await ask('POST', '/units', unitLine('unit-1', `${origin.url}/a.jpg`));
    await until(async () => (await statusOf('unit-1')).totals.ready === 1);
    const [image] = (await statusOf('unit-1')).images;
    const [variant] = image?.state === 'ready' ? image.variants : [];
    const response = await fetch(variant?.url ?? '');
    expect(response.headers.get('cache-status')).toBe('edgepress; hit');
    expect((await response.arrayBuffer()).byteLength).toBe(variant?.bytes);
  });

  it('lose no accepted unit when the server is killed after its response', async () => {
    const { origin, answerAll, held } = await startHeldOrigin(await quarters().jpeg().toBuffer());
    const first = await startOperated({ SOURCE_ALLOW_PRIVATE: origin.authority });
    const ids = Array.from({ length: 150 }, (_, index) => `unit-${index}`);
    const lines = ids.map((id) => unitLine(id, `${origin.url}/${id}.jpg`));
    const response = await first.ask('POST', '/units', lines.join(''));
    first.program.process.kill('SIGKILL');
    expect(response.status).toBe(202);
    await first.program.ended;
    held.splice(0);
    const second = await first.restart();
    const isDone = async () => (await second.metrics()).get('edgepress_queue_jobs') === 0;
    await until(async () => {
      answerAll();
      return await isDone();
    });
    for (const id of ids) expect((await second.statusOf(id)).totals, id).toMatchObject({ ready: 1 });
  });

  it('lose no accepted unit when the server is killed while it takes others', async () => {
    const [waves, size] = [3, 400];
    const idOf = (wave: number, index: number) => `unit-${wave}-${index}`;
    let server = await startOperated(FORBIDDING);
    const STORE = `file:${server.folder}`;
    const accepted: string[] = [];
    for (let wave = 0; wave < waves; wave++) {
      const ids = Array.from({ length: size }, (_, index) => idOf(wave, index));
      const bodies = [ids.slice(0, size / 2), ids.slice(size / 2)];
      const answers = bodies.map((body) =>
        server.ask('POST', '/units', body.map((id) => unitLine(id, SRC)).join('')).then(
          ({ status }) => status === 202 && accepted.push(...body),
          () => undefined,
        ),
      );
      // In the middle of the second body, of its submission, or of the work: each wave a little later.
      await answers[0];
      for (let turns = 0; turns < wave * 5; turns++) await new Promise((resolve) => setImmediate(resolve));
      server.program.process.kill('SIGKILL');
      await Promise.all(answers);
      await server.program.ended;
      server = await startOperated({ ...FORBIDDING, STORE });
    }
    await until(async () => (await server.metrics()).get('edgepress_queue_jobs') === 0);
    expect(accepted.length).toBeGreaterThanOrEqual((waves * size) / 2);
    const statuses = await pMap(accepted, server.statusOf, { concurrency: 16 });
    for (const [index, { totals }] of statuses.entries())
      expect(totals, accepted[index]).toMatchObject({ broken: 1, pending: 0 });
  });

  it('finish the images in flight on a signal, and leave the others to the next server', async () => {
    const { origin, answerAll, held } = await startHeldOrigin(await quarters().jpeg().toBuffer());
    const first = await startOperated({ SOURCE_ALLOW_PRIVATE: origin.authority, CONCURRENCY: '1' });
    const images = Array.from({ length: 40 }, (_, index) => `${origin.url}/${index}.jpg`);
    await first.ask('POST', '/units', unitLine('unit-1', ...images));
    await until(() => held.length === 8);
    first.program.process.kill('SIGTERM');
    await first.program.printed(/finishing the work in flight/);
    answerAll();
    expect(await first.program.ended).toBe(0);
    expect(first.program.output.stdout).not.toContain('a bug');
    const second = await first.restart();
    expect((await second.statusOf('unit-1')).totals).toMatchObject({ ready: 8, broken: 0, pending: 32 });
    await until(async () => {
      answerAll();
      return (await second.statusOf('unit-1')).totals.ready === 40;
    });
    // Nothing was fetched twice.
    expect(new Set(origin.requests).size).toBe(40);
    expect(origin.requests).toHaveLength(40);
  });

  it('read a long stream no faster than they store its units, so that memory stays flat', async () => {
    const { ask, metrics } = await startOperated(FORBIDDING);
    const rss = async () => (await metrics()).get('process_resident_memory_bytes') ?? Number.NaN;
    await ask('POST', '/units', unitLine('warm', SRC));
    const before = await rss();
    let most = 0;
    const [units, padding] = [2500, 'x'.repeat(80_000)];
    const body = streamOf(units, async (index) => {
      if (index % 250 === 249) most = Math.max(most, await rss());
      return `${JSON.stringify({ id: `unit-${index}`, images: [SRC], padding })}\n`;
    });
    const response = await ask('POST', '/units', body);
    expect(await response.json()).toMatchObject({ accepted: units });
    most = Math.max(most, await rss());
    // Half of the bytes that were sent.
    expect(most - before).toBeLessThan(100_000_000);
  });

  it('accept the whole lines of a sender that disconnects, and log no bug', async () => {
    const { sendStart, ask, program, statusOf } = await startOperated(FORBIDDING);
    const half = unitLine('half', SRC).slice(0, -2);
    const body = unitLine('whole', SRC) + half;
    const chunked = `${body.length.toString(16)}\r\n${body}\r\n`;
    const requests: [string, string[], string][] = [
      ['/units', ['Content-Length: 1000000'], body],
      ['/units', ['Transfer-Encoding: chunked'], chunked],
      ['/units', ['Content-Length: 1000000'], ''],
      ['/units/purge', ['Content-Length: 1000000'], '{"ids":["whole"]}'],
      ['/units/purge', ['Transfer-Encoding: chunked'], '5\r\n{"ids'],
    ];
    for (const [index, [target, headers, sent]] of requests.entries()) {
      const socket = await sendStart(target, headers, sent);
      // The server has read what was sent before it answers on another connection.
      await ask('GET', '/units/other');
      socket.destroy();
      await until(() => program.output.stdout.split('"code":"bad_request"').length === index + 2);
    }
    expect((await statusOf('whole')).totals).toMatchObject({ broken: 1 });
    expect((await ask('GET', '/units/half')).status).toBe(404);
    expect(program.output.stdout).not.toMatch(/"level":50|a bug/);
    expect(program.output.stderr).toBe('');
  });

  it('answer a body early when they refuse it, however long it is', async () => {
    const { ask, url, folder } = await startOperated(FORBIDDING);
    const endless = () =>
      streamOf(100_000, (index) => unitLine(`unit-${index}`, `${SRC}?${'x'.repeat(2000)}`));
    const refused = await fetch(`${url}/units`, {
      method: 'POST',
      headers: { Authorization: 'Bearer wrong' },
      body: endless(),
      duplex: 'half',
    });
    expect([refused.status, await refused.json()]).toMatchObject([401, { code: 'unauthorized' }]);
    const tooLong = await ask('POST', '/units/purge', endless());
    expect([tooLong.status, await tooLong.json()]).toMatchObject([400, { code: 'bad_request' }]);
    // A file in the place of the folder of packs of units.
    await writeFile(join(folder, 'packs'), '');
    const failed = await ask('POST', '/units', endless());
    expect([failed.status, await failed.json()]).toMatchObject([503, { code: 'overloaded' }]);
    expect(failed.headers.get('retry-after')).toBe('10');
    expect(await readdir(folder)).not.toContain('queue');
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it('answer overloaded after a signal, even in the middle of a stream', async () => {
    const { ask, program, folder } = await startOperated(FORBIDDING);
    let signalled = false;
    let most = 0;
    const body = streamOf(1_000_000, async (index) => {
      most = index;
      if (index === 1000) {
        signalled = program.process.kill('SIGTERM');
        await program.printed(/finishing the work in flight/);
      }
      return unitLine(`unit-${index}`, SRC);
    });
    const response = await ask('POST', '/units', body);
    expect(signalled).toBe(true);
    expect([response.status, await response.json()]).toMatchObject([503, { code: 'overloaded' }]);
    expect(await program.ended).toBe(0);
    expect(most).toBeLessThan(1_000_000);
    expect(program.output.stdout).not.toMatch(/"level":50|a bug/);
    expect(await readdir(folder)).toContain('queue');
  });
});
