import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { startAdminService } from '../support/http/operator.ts';
import { startOrigin, targetFor, until } from '../support/http/service.ts';
import { photograph } from '../support/pictures.ts';
import { listen } from '../support/source/loopback.ts';

/** A service, an origin that works, and one whose server does not run. */
async function setUp() {
  const photo = await photograph();
  const good = await startOrigin((_request, response) => response.end(photo));
  const stopped = createServer((_request, response) => response.end(photo));
  const { port } = await listen(stopped, '127.0.0.1', 0);
  await new Promise((closed) => stopped.close(closed));
  const down = `127.0.0.1:${port}`;
  const admin = await startAdminService({ SOURCE_ALLOW_PRIVATE: `${good.authority},${down}` });
  const view = async (src: string) => await admin.service.request(targetFor(src, { width: 160 }));
  return {
    ...admin,
    good,
    down,
    viewDown: (name: string | number) => view(`http://${down}/${name}.jpg`),
    viewGood: () => view(`${good.url}/a.jpg`),
    /** How many sources are recorded as broken. */
    recordCount: async () => {
      const files = await readdir(admin.service.folder, { recursive: true });
      return files.filter((file) => file.endsWith('source.json')).length;
    },
    start: async () => void (await listen(stopped, '127.0.0.1', port)),
  };
}

describe('Requests for images of a host that is down', () => {
  it('are answered without asking it or recording anything, with the time to try again, until it works', async () => {
    const { service, viewDown, viewGood, recordCount, start, down } = await setUp();
    for (let number = 0; number < 5; number++) expect((await viewDown(number)).status).toBe(502);
    const refused = await viewDown('next');
    expect(await refused.json()).toMatchObject({
      status: 502,
      code: 'source_unavailable',
      retryable: true,
      detail: expect.stringContaining('no further requests to its host'),
    });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(2);
    expect((await viewGood()).status).toBe(200);
    expect(await recordCount()).toBe(5);
    expect(service.log).toContainEqual(
      expect.objectContaining({
        kind: 'source',
        target: down,
        msg: expect.stringContaining('circuit breaker opened'),
      }),
    );
    await start();
    await until(async () => (await viewDown('next')).status === 200);
    expect(await recordCount()).toBe(5);
    expect(service.log).toContainEqual(
      expect.objectContaining({ target: down, msg: expect.stringContaining('circuit breaker closed') }),
    );
  });

  it('are counted, and the host is named, in the metrics', async () => {
    const { viewDown, metrics, down } = await setUp();
    for (let number = 0; number < 7; number++) await viewDown(number);
    const samples = await metrics();
    const open = `edgepress_circuit_open{kind="source",target="${down}",state="open"}`;
    expect(samples.get(open)).toBe(2);
    expect(samples.get('edgepress_circuits_open{kind="source"}')).toBe(1);
    expect(samples.get('edgepress_circuits_open{kind="store"}')).toBe(0);
    expect(samples.get('edgepress_circuit_refused_total{kind="source"}')).toBe(2);
  });
});
