import { describe, expect, it } from 'vitest';
import { startAdminService, unitLine } from '../support/http/operator.ts';
import { startHeldOrigin, startService, until } from '../support/http/service.ts';

describe('A service that is started again', () => {
  it('processes the jobs that were accepted before', async () => {
    const { origin, held, answerAll } = await startHeldOrigin();
    const first = await startService({ ADMIN_TOKEN: 'operators', SOURCE_ALLOW_PRIVATE: origin.authority });
    await first.unitServices.drain();
    const sent = await first.request('/units', {
      method: 'POST',
      headers: { Authorization: 'Bearer operators' },
      body: unitLine('unit-1', `${origin.url}/a.jpg`),
    });
    expect(sent.status).toBe(202);
    expect(held).toEqual([]);
    const { finalStatus } = await startAdminService({
      SOURCE_ALLOW_PRIVATE: origin.authority,
      STORE: `file:${first.folder}`,
    });
    await until(() => held.length === 1);
    answerAll();
    expect((await finalStatus('unit-1')).totals).toMatchObject({ ready: 1 });
  });
});
