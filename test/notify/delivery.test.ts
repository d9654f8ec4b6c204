import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createDelivery } from '../../src/notify/delivery.ts';
import { createOutbox } from '../../src/notify/outbox.ts';
import type { Message, SendResult } from '../../src/notify/sender.ts';
import { failedEvent } from '../../src/notify/unit-event.ts';
import type { VariantStore } from '../../src/store/store.ts';
import { until } from '../support/http/service.ts';
import { createMemoryStore } from '../support/store/memory-store.ts';

const SUBMITTED_MS = Date.parse('2026-11-28T12:00:00Z');
const eventOf = (unit: string, nth = 0) =>
  failedEvent(
    { unit, submittedAt: new Date(SUBMITTED_MS + nth).toISOString() },
    `event ${nth} of ${unit}`,
    SUBMITTED_MS,
  );

interface SetUp {
  store?: VariantStore;
  /** By default each message is delivered. */
  answer?: (message: Message, nth: number) => SendResult;
  maxWaiting?: number;
  maxRefused?: number;
  firstPauseMs?: number;
  nowMs?: () => number;
}

function setUp({
  store = createMemoryStore(),
  answer = () => ({ state: 'delivered' }),
  ...more
}: SetUp = {}) {
  const sent: string[] = [];
  const delivered: string[] = [];
  const log: Record<string, unknown>[] = [];
  const delivery = createDelivery({
    ...{ name: 'target', outbox: createOutbox(store, 'target', Date.now), nowMs: Date.now, firstPauseMs: 1 },
    log: pino({ base: null }, { write: (line: string) => log.push(JSON.parse(line)) }),
    sender: {
      concurrency: 4,
      async send(message) {
        sent.push(message.unit);
        const result = answer(message, sent.length);
        if (result.state === 'delivered') delivered.push(JSON.parse(message.body).data.detail);
        return result;
      },
      close: async () => undefined,
    },
    ...more,
  });
  onTestFinished(() => delivery.stop());
  return { store, delivery, sent, delivered, log };
}

/** A clock that stands still until the test lets an hour pass. */
function createClock() {
  let nowMs = SUBMITTED_MS;
  return {
    nowMs: () => nowMs,
    pass() {
      nowMs += 3_600_000;
    },
  };
}

describe('delivery', () => {
  it('sends what was stored before it started, and removes it', async () => {
    const { store, delivery, delivered } = setUp();
    await delivery.store(eventOf('a'));
    const next = setUp({ store });
    next.delivery.takeUp();
    next.delivery.start();
    await until(() => next.delivered.length === 1);
    await until(() => next.delivery.waiting() === 0);
    expect(delivered).toEqual([]);
    expect(await keysIn(store)).toEqual([]);
  });

  it('keeps the order of the events of a unit, whatever fails', async () => {
    const { delivery, delivered } = setUp({
      answer: (_message, nth) =>
        nth % 3 === 0 ? { state: 'failed', reason: 'busy' } : { state: 'delivered' },
    });
    for (let nth = 0; nth < 20; nth++) {
      for (const unit of ['a', 'b']) await delivery.store(eventOf(unit, nth));
    }
    delivery.start();
    await until(() => delivered.length === 40);
    for (const unit of ['a', 'b'])
      expect(delivered.filter((text) => text.endsWith(unit))).toEqual(
        Array.from({ length: 20 }, (_, nth) => `event ${nth} of ${unit}`),
      );
  });

  it('sends the events of others although one is refused again and again', async () => {
    const { delivery, delivered, sent } = setUp({
      answer: ({ unit }) => (unit === 'bad' ? { state: 'refused', reason: '400' } : { state: 'delivered' }),
    });
    for (const unit of ['bad', 'a', 'b', 'c']) await delivery.store(eventOf(unit));
    delivery.start();
    await until(() => delivered.length === 3 && sent.filter((unit) => unit === 'bad').length > 1);
    expect(delivery.waiting()).toBe(1);
  });

  it('does not wait with the events of others for one that is refused', async () => {
    const { delivery, delivered, sent } = setUp({
      answer: ({ unit }) =>
        unit.startsWith('bad') ? { state: 'refused', reason: '400' } : { state: 'delivered' },
      firstPauseMs: 60_000,
    });
    delivery.start();
    for (const unit of ['bad-1', 'bad-2', 'bad-3']) await delivery.store(eventOf(unit));
    await until(() => delivery.counts.failed === 3);
    for (const unit of ['a', 'b', 'c']) await delivery.store(eventOf(unit));
    await until(() => delivered.length === 3);
    expect(sent).toEqual(['bad-1', 'bad-2', 'bad-3', 'a', 'b', 'c']);
    expect(delivery.waiting()).toBe(3);
    await delivery.flushed(AbortSignal.timeout(60_000));
  });

  it('flushes the events of others although some are refused', async () => {
    const { delivery, delivered } = setUp({
      answer: ({ unit }) => (unit === 'bad' ? { state: 'refused', reason: '400' } : { state: 'delivered' }),
      firstPauseMs: 60_000,
    });
    for (const unit of ['bad', 'a', 'b', 'c', 'd', 'e', 'f']) await delivery.store(eventOf(unit));
    delivery.start();
    await delivery.flushed(AbortSignal.timeout(60_000));
    expect(delivered).toHaveLength(6);
  });

  it('knows that nothing waits once all is sent, also what it sent while it counted, and what others sent', async () => {
    const store = createMemoryStore();
    const before = setUp({ store }).delivery;
    for (let nth = 0; nth < 5; nth++) await before.store(eventOf(`unit-${nth}`));
    let isListed = false;
    const { delivery, delivered } = setUp({
      store: {
        ...store,
        async *list(...request) {
          for await (const object of store.list(...request)) {
            yield object;
            // The first ones are sent before the last ones are counted.
            if (delivered.length === 0) void delivery.store(eventOf('another', 1));
            await until(() => delivered.length > 0);
          }
          isListed = true;
        },
      },
    });
    delivery.takeUp();
    delivery.start();
    await until(() => isListed && delivered.length >= 6);
    await until(() => delivery.waiting() === 0);
    expect(await keysIn(store)).toEqual([]);
  });

  it('drops what is more than its bound, and says so', async () => {
    const { store, delivery, log } = setUp({ maxWaiting: 2 });
    for (const unit of ['a', 'b', 'c']) await delivery.store(eventOf(unit));
    expect(await keysIn(store)).toHaveLength(2);
    expect(delivery.counts.dropped).toBe(1);
    expect(log).toMatchObject([{ unit: 'c', reason: '2 events wait already' }]);
  });

  it('drops those that were refused first when too many are, says so, and goes on with others', async () => {
    const { store, delivery, delivered, log } = setUp({
      answer: ({ unit }) =>
        unit.startsWith('bad') ? { state: 'refused', reason: '400' } : { state: 'delivered' },
      maxRefused: 3,
      firstPauseMs: 60_000,
    });
    const units = Array.from({ length: 8 }, (_, nth) => [`bad-${nth}`, `good-${nth}`]).flat();
    for (const unit of units) await delivery.store(eventOf(unit));
    delivery.start();
    await until(() => delivered.length === 8 && delivery.counts.dropped === 5);
    await until(() => delivery.waiting() === 3);
    expect(await keysIn(store)).toHaveLength(3);
    const dropped = log.filter(({ msg }) => String(msg).includes('dropped'));
    expect(dropped.map(({ unit }) => unit)).toEqual(['bad-0', 'bad-1', 'bad-2', 'bad-3', 'bad-4']);
  });

  it('drops none for a target that refuses all of them, and sends them once it takes one', async () => {
    const { delivery, delivered, log } = setUp({
      answer: (_message, nth) => (nth <= 8 ? { state: 'refused', reason: '400' } : { state: 'delivered' }),
      maxRefused: 3,
    });
    for (let nth = 0; nth < 10; nth++) await delivery.store(eventOf(`unit-${nth}`));
    delivery.start();
    await until(() => delivered.length === 10);
    expect(delivery.counts.dropped).toBe(0);
    expect(log.some(({ reason }) => String(reason).includes('refuses all events'))).toBe(true);
  });

  it('sends events to a target that has refused a few of them again and again, and nothing else meanwhile', async () => {
    const { delivery, delivered, sent, log } = setUp({
      answer: ({ unit }) => (unit === 'bad' ? { state: 'refused', reason: '400' } : { state: 'delivered' }),
      maxRefused: 2,
    });
    delivery.start();
    await delivery.store(eventOf('bad'));
    await until(() => sent.length > 3);
    await delivery.store(eventOf('good'));
    await until(() => delivered.length === 1);
    expect(log.some(({ reason }) => String(reason).includes('refuses all events'))).toBe(false);
  });

  it('sends the events that a target takes although it has refused too many others in a row', async () => {
    const { delivery, delivered } = setUp({
      answer: ({ unit }) =>
        unit.startsWith('bad') ? { state: 'refused', reason: '400' } : { state: 'delivered' },
      maxRefused: 2,
    });
    for (let nth = 0; nth < 6; nth++) await delivery.store(eventOf(`bad-${nth}`));
    await delivery.store(eventOf('good'));
    delivery.start();
    await until(() => delivered.length === 1);
  });

  it('keeps an event that is too many but cannot be removed from the store, and sends it later', async () => {
    const clock = createClock();
    const store = createMemoryStore();
    let [isFailing, isRefusing] = [true, true];
    const failing: VariantStore = {
      ...store,
      async delete(keys) {
        if (isFailing && keys.some((key) => key.includes('bad-0'))) throw new Error('the disk is full');
        await store.delete(keys);
      },
    };
    const { delivery, delivered, sent } = setUp({
      ...{ store: failing, nowMs: clock.nowMs, maxRefused: 1 },
      answer: ({ unit }) =>
        isRefusing && unit.startsWith('bad') ? { state: 'refused', reason: '400' } : { state: 'delivered' },
    });
    delivery.start();
    for (const unit of ['bad-0', 'good', 'bad-1']) {
      await delivery.store(eventOf(unit));
      await until(
        () => sent.includes(unit) && delivery.counts.failed + delivery.counts.delivered === sent.length,
      );
    }
    [isFailing, isRefusing] = [false, false];
    clock.pass();
    await until(() => delivered.length === 3);
    expect(delivery.counts.dropped).toBe(0);
  });

  it('tries a target that is down with what it has not refused yet', async () => {
    const clock = createClock();
    const { delivery, sent, log } = setUp({
      nowMs: clock.nowMs,
      answer: ({ unit }) => ({ state: unit === 'bad' ? 'refused' : 'failed', reason: 'no' }),
    });
    delivery.start();
    for (const unit of ['bad', 'a']) {
      await delivery.store(eventOf(unit));
      await until(() => log.length === sent.length && sent.includes(unit));
    }
    clock.pass();
    await until(() => sent.length === 3);
    expect(sent).toEqual(['bad', 'a', 'a']);
  });

  it('waits as after a first refusal for an event that is refused after another one was taken at last', async () => {
    const clock = createClock();
    const { delivery, delivered, log } = setUp({
      ...{ nowMs: clock.nowMs, firstPauseMs: 1000 },
      answer: ({ unit }) =>
        unit === 'late' && log.length === 4 ? { state: 'delivered' } : { state: 'refused', reason: '400' },
    });
    delivery.start();
    const tryAgain = () => {
      clock.pass();
      delivery.takeUp();
    };
    await delivery.store(eventOf('late'));
    for (let refusals = 1; refusals <= 4; refusals++) {
      await until(() => log.length === refusals);
      tryAgain();
    }
    await until(() => delivered.length === 1);
    await delivery.store(eventOf('other'));
    await until(() => log.length === 5);
    expect(log.map(({ seconds }) => Number(seconds) > 1)).toEqual([false, true, true, true, false]);
  });

  it('leaves a target alone that has just failed, however many events wait', async () => {
    const { delivery, sent } = setUp({
      answer: () => ({ state: 'failed', reason: 'down', retryAfterMs: 60_000 }),
    });
    for (let nth = 0; nth < 10; nth++) await delivery.store(eventOf(`unit-${nth}`));
    delivery.start();
    // Those that were sent together.
    await until(() => delivery.counts.failed === 4);
    await delivery.store(eventOf('another'));
    await delivery.stop();
    expect(sent).toHaveLength(4);
    expect(delivery.waiting()).toBe(11);
  });

  it('without storing is only tried while the target works', async () => {
    let isDown = true;
    const { store, delivery, sent } = setUp({
      answer: () =>
        isDown ? { state: 'failed', reason: 'down', retryAfterMs: 60_000 } : { state: 'delivered' },
    });
    expect(await delivery.sendNow(eventOf('a'))).toBe(false);
    isDown = false;
    expect(await delivery.sendNow(eventOf('b'))).toBe(false);
    expect(sent).toEqual(['a']);
    expect(await keysIn(store)).toEqual([]);
  });
});

async function keysIn(store: VariantStore): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('events')) keys.push(key);
  return keys;
}
