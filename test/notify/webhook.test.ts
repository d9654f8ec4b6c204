import { describe, expect, it, onTestFinished } from 'vitest';
import type { CompletedUnit } from '../../src/notify/unit-event.ts';
import { createWebhookSender } from '../../src/notify/webhook-sender.ts';
import { startForbiddingService, startWithUnits, unitLine } from '../support/http/operator.ts';
import { until } from '../support/http/service.ts';
import { isSigned, type Received, SECRET, startReceiver } from '../support/notify/receiver.ts';

const OTHER_SECRET = `whsec_${Buffer.from('another secret of many bytes').toString('base64')}`;

describe('an HTTP target of NOTIFY', () => {
  it('is told once what became of a unit, with what was saved and what is broken', async () => {
    const receiver = await startReceiver();
    const { src } = await startWithUnits(['unit-1'], receiver.env);
    await until(() => receiver.attempts.length > 0);
    const [event] = receiver.events();
    expect(event).toMatchObject({
      type: 'unit.completed',
      data: {
        ...{ unit: 'unit-1', ready: 1, broken: 1, brokenLeftOut: 0 },
        brokenImages: [{ src: src.replace('/a.jpg', '/gone'), code: 'source_not_found', retryable: false }],
      },
    });
    const data = event?.data as CompletedUnit | undefined;
    expect(data?.saved).toBeGreaterThan(0);
    expect(data?.sourceBytes).toBe((data?.bytes ?? 0) + (data?.saved ?? 0));
    expect(receiver.requests).toEqual(['/hook']);
  });

  it('can verify the signature, by each of the secrets', async () => {
    const receiver = await startReceiver();
    await startWithUnits(['unit-1'], { ...receiver.env, NOTIFY_SECRET: `${OTHER_SECRET}, ${SECRET}` });
    await until(() => receiver.attempts.length > 0);
    const [received] = receiver.attempts as [Received];
    expect(received.headers['webhook-id']).toBe(received.event.id);
    expect(isSigned(received, SECRET)).toBe(true);
    expect(isSigned(received, OTHER_SECRET)).toBe(true);
    expect(isSigned({ ...received, body: `${received.body} ` }, SECRET)).toBe(false);
  });

  it('gets an event again, with the same id, until it takes it', async () => {
    const receiver = await startReceiver((_received, nth, response) =>
      response.writeHead(nth === 1 ? 503 : 204, { 'Retry-After': '0' }).end(),
    );
    await startWithUnits(['unit-1'], receiver.env);
    await until(() => receiver.attempts.length === 2);
    const [first, second] = receiver.events();
    expect(second).toEqual(first);
  });

  it('has taken an event with its status, even if its answer is cut off', async () => {
    const receiver = await startReceiver((_received, _nth, response) => {
      response.writeHead(200, { 'Content-Length': '10' }).write('12345');
      setImmediate(() => response.destroy());
    });
    const sender = createWebhookSender({
      ...{ url: new URL(receiver.url), allowPrivate: [receiver.authority], userAgent: 'edgepress' },
      secrets: async () => [],
    });
    onTestFinished(() => sender.close());
    const message = { id: 'evt_1', type: 'unit.completed', unit: 'unit-1', body: '{}' };
    expect(await sender.send(message)).toEqual({ state: 'delivered' });
  });

  it('gets another id when the unit is sent again', async () => {
    const receiver = await startReceiver();
    const { ingest, src } = await startWithUnits(['unit-1'], receiver.env);
    await until(() => receiver.attempts.length === 1);
    await ingest(unitLine('unit-1', src));
    await until(() => receiver.attempts.length === 2);
    const [first, second] = receiver.events();
    expect(second?.id).not.toBe(first?.id);
    expect(second?.data.submittedAt.localeCompare(first?.data.submittedAt ?? '')).toBe(1);
  });

  it('does not get events at another address by a redirect', async () => {
    const elsewhere = await startReceiver();
    const receiver = await startReceiver((_received, _nth, response) =>
      response.writeHead(307, { Location: elsewhere.url }).end(),
    );
    const { service } = await startWithUnits(['unit-1'], receiver.env);
    await until(() => service.log.some(({ msg }) => msg === 'events could not be sent'));
    expect(elsewhere.attempts).toEqual([]);
  });

  it('at a private address is not reached unless NOTIFY_ALLOW_PRIVATE names it', async () => {
    const receiver = await startReceiver();
    const env = { ...receiver.env, NOTIFY: `https://${receiver.authority}/`, NOTIFY_ALLOW_PRIVATE: '' };
    const { service } = await startWithUnits(['unit-1'], env);
    await until(() => service.log.some(({ msg }) => msg === 'events could not be sent'));
    expect(JSON.stringify(service.log)).toContain('is not a public address');
    expect(receiver.attempts).toEqual([]);
  });

  it('that is down does not hold up the work, and gets what it has missed', async () => {
    let isDown = true;
    const receiver = await startReceiver((_received, _nth, response) => {
      if (isDown) response.writeHead(500, { 'Retry-After': '0' });
      response.end();
    });
    const ids = Array.from({ length: 40 }, (_, index) => `unit-${index}`);
    const admin = await startForbiddingService(receiver.env);
    await admin.ingest(ids.map((id) => unitLine(id, 'https://example.com/a.jpg')).join(''));
    await admin.queueIsEmpty();
    expect((await admin.metrics()).get(`edgepress_notifications_waiting{target="${receiver.url}"}`)).toBe(40);
    isDown = false;
    receiver.attempts.length = 0;
    await until(() => new Set(receiver.events().map(({ data }) => data.unit)).size === 40);
    await until(
      async () =>
        (await admin.metrics()).get(`edgepress_notifications_waiting{target="${receiver.url}"}`) === 0,
    );
  });

  it('that is gone gets no more', async () => {
    const receiver = await startReceiver((_received, _nth, response) => response.writeHead(410).end());
    const { service, ingest, queueIsEmpty, src } = await startWithUnits(['unit-1'], receiver.env);
    await until(() => receiver.attempts.length === 1);
    await until(() => service.log.some(({ msg }) => String(msg).includes('target of events is gone')));
    await ingest(unitLine('unit-2', src));
    await queueIsEmpty();
    expect(receiver.attempts).toHaveLength(1);
  });
});
