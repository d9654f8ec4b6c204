import { expect, it } from 'vitest';
import { startForbiddingService } from '../support/http/operator.ts';

it.each([
  ['empty objects', '{}\n'],
  ['what is not JSON', 'x\n'],
])('Others are answered while many lines of %s are refused', async (_, line) => {
  const { adminRequest, service } = await startForbiddingService();
  let isDone = false;
  const body = new TextEncoder().encode(line.repeat(20_000));
  const refusal = adminRequest('POST', '/units', body).finally(() => {
    isDone = true;
  });
  let answered = 0;
  while (!isDone) {
    await service.request('/healthz');
    answered++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await (await refusal).json()).toMatchObject({ refusedCount: 20_000 });
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
