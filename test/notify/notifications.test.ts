import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { createNotifications } from '../../src/notify/notifications.ts';
import { parseNotifyTarget } from '../../src/notify/notify-target.ts';
import { failedEvent } from '../../src/notify/unit-event.ts';
import { createMemoryStore } from '../support/store/memory-store.ts';

const HOUR_MS = 3_600_000;

it('Two targets on one server, which have one name, are counted together', async () => {
  const notifications = createNotifications({
    targets: ['https://a.test/one', 'https://a.test/two'].map((url) => ({
      target: parseNotifyTarget(url),
      sender: { concurrency: 1, send: async () => ({ state: 'delivered' }), close: async () => undefined },
    })),
    ...{ store: createMemoryStore(), sendsFirst: false, log: pino({ level: 'silent' }), nowMs: Date.now },
  });
  const submittedAt = new Date().toISOString();
  await notifications.announce(failedEvent({ unit: 'unit-1', submittedAt }, 'no', Date.now()));
  const waiting = notifications.metricSources.find(({ name }) => name === 'notifications_waiting');
  expect(await waiting?.read()).toEqual([{ labels: { target: 'https://a.test' }, value: 2 }]);
});

it('Events that have waited for 72 hours are removed, and count as dropped by their target', async () => {
  let nowMs = Date.now();
  const notifications = createNotifications({
    targets: ['https://a.test/', 'https://b.test/'].map((url) => ({
      target: parseNotifyTarget(url),
      sender: {
        concurrency: 1,
        send: async () => ({ state: url.includes('a.test') ? 'delivered' : 'failed', reason: 'down' }),
        close: async () => undefined,
      },
    })),
    ...{ store: createMemoryStore(), sendsFirst: true, log: pino({ level: 'silent' }), nowMs: () => nowMs },
  });
  onTestFinished(() => notifications.stop());
  const submittedAt = new Date(nowMs).toISOString();
  for (const unit of ['unit-1', 'unit-2'])
    await notifications.announce(failedEvent({ unit, submittedAt }, 'no', nowMs));
  const samples = async (name: string) =>
    await notifications.metricSources.find((source) => source.name === name)?.read();
  expect(await samples('notifications_waiting')).toContainEqual({
    labels: { target: 'https://b.test' },
    value: 2,
  });
  nowMs += 73 * HOUR_MS;
  await notifications.takeUp();
  expect(await samples('notifications_total')).toContainEqual({
    labels: { target: 'https://b.test', result: 'dropped' },
    value: 2,
  });
  expect(await samples('notifications_total')).toContainEqual({
    labels: { target: 'https://a.test', result: 'dropped' },
    value: 0,
  });
  expect(await samples('notifications_waiting')).toContainEqual({
    labels: { target: 'https://b.test' },
    value: 0,
  });
});
