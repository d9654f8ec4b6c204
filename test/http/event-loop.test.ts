import { expect, it } from 'vitest';
import type { UnitStatus } from '../../src/unit/status.ts';
import { startAdminService, startForbiddingService } from '../support/http/operator.ts';

/** Sends one request after the other until an answer has come. Returns how many were answered before it. */
async function countAnswersDuring(
  answer: Promise<Response>,
  service: { request(path: string): unknown },
): Promise<number> {
  let isDone = false;
  const end = () => {
    isDone = true;
  };
  answer.then(end, end);
  let answered = 0;
  while (!isDone) {
    await service.request('/healthz');
    answered++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return answered;
}

it.each([
  ['empty objects', '{}\n'],
  ['what is not JSON', 'x\n'],
])('Others are answered while many lines of %s are refused', async (_, line) => {
  const { adminRequest, service } = await startForbiddingService();
  const body = new TextEncoder().encode(line.repeat(20_000));
  const refusal = adminRequest('POST', '/units', body);
  const answered = await countAnswersDuring(refusal, service);
  expect(await (await refusal).json()).toMatchObject({ refusedCount: 20_000 });
  expect(answered).toBeGreaterThan(3);
});

it('Others are answered while the status of a unit with 10,000 images is read', async () => {
  const { adminRequest, service } = await startAdminService();
  const sources = Array.from({ length: 10_000 }, (_, index) => `https://images.test/${index}.jpg`);
  const images = sources.map((src) => ({ src }));
  const wanted = { widths: [160], tiers: ['balanced'], formats: ['webp'] } as const;
  // Its jobs are not put on the queue: all images wait.
  await service.unitServices.units.submitBatch([{ id: 'large', images, ...wanted }], { retry: false });
  const status = adminRequest('GET', '/units/large');
  const answered = await countAnswersDuring(status, service);
  const read = (await (await status).json()) as UnitStatus;
  expect(read.images.map(({ src }) => src)).toEqual(sources);
  expect(read.totals.pending).toBe(10_000);
  expect(answered).toBeGreaterThan(3);
});

it.each([
  ['objects', `{"ids":[${'{},'.repeat(50_000)}{}]}`, 'body'],
  ['numbers', `{"ids":[${'1,'.repeat(60_000)}1]}`, 'ids'],
])('A purge of very many %s is refused before it is parsed', async (_, body, parameter) => {
  const { adminRequest } = await startForbiddingService();
  const response = await adminRequest('POST', '/units/purge', body);
  expect(await response.json()).toMatchObject({ code: 'bad_request', parameter });
});

it('A body that begins with a hundred thousand lines that are no units is not read further, and one with a unit among them is', async () => {
  const { adminRequest } = await startForbiddingService();
  const bad = '1\n'.repeat(100_001);
  const refused = await adminRequest('POST', '/units', bad);
  expect(refused.status).toBe(400);
  const problem = (await refused.json()) as { refusedCount: number; refused: unknown[] };
  expect(problem).toMatchObject({
    detail: expect.stringContaining('99999 more lines were refused; the rest was not read'),
    refusedCount: 100_000,
  });
  expect(problem.refused).toHaveLength(10_000);
  const unit = JSON.stringify({ id: 'u', images: ['http://127.0.0.1/a'] });
  const taken = await adminRequest('POST', '/units', `1\n${unit}\n${bad}`);
  expect(taken.status).toBe(202);
  expect(await taken.json()).toMatchObject({ accepted: 1, refusedCount: 100_002 });
});
