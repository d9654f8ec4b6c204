import type { Logger } from 'pino';
import type { VariantStore } from '../store/store.ts';
import type { MetricSource } from '../telemetry/metric-source.ts';
import { MAX_AGE_MS } from './attempts.ts';
import { createDelivery, type Delivery } from './delivery.ts';
import type { NotifyTarget } from './notify-target.ts';
import { createOutbox, removeExpired } from './outbox.ts';
import type { Sender } from './sender.ts';
import type { UnitEvent } from './unit-event.ts';

/** Tells the targets of `NOTIFY` what became of units. */
export interface Notifications {
  /** Whether there is anyone to tell. */
  readonly isOn: boolean;
  /**
   * When this resolves, the event was delivered to each target, or waits in the store. Then the job that it is about may be acknowledged.
   *
   * @throws the error of the store: the job has to be done again, and the same event is sent
   */
  announce(event: UnitEvent): Promise<void>;
  /**
   * Starts to send what waits, in the background.
   *
   * @param options.takesUp - whether what other processes, or earlier ones, have left is sent too
   */
  start(options: { takesUp: boolean }): void;
  /** Sends what other processes have left, and removes what has waited for too long, for whatever target. */
  takeUp(): Promise<void>;
  /** Resolves when nothing waits, or all targets that have something waiting fail, or the signal aborts. */
  flushed(signal: AbortSignal): Promise<void>;
  /** Starts no more deliveries, and resolves when those in flight have ended. What waits stays in the store. */
  stop(): Promise<void>;
  /** Releases connections and files. */
  close(): Promise<void>;
  metricSources: readonly MetricSource[];
}

export interface NotificationsOptions {
  targets: readonly { target: NotifyTarget; sender: Sender }[];
  store: VariantStore;
  /**
   * Whether events are first sent, and stored only if that fails: for a process that lasts no longer than its job. Without it, no target can
   * hold up the work, and events keep their order per unit.
   */
  sendsFirst: boolean;
  log: Logger;
  nowMs: () => number;
}

export function createNotifications(options: NotificationsOptions): Notifications {
  const { targets, store, sendsFirst, log, nowMs } = options;
  const deliveries = targets.map(({ target, sender }) => ({
    name: target.name,
    delivery: createDelivery({
      name: target.name,
      outbox: createOutbox(store, target.text, nowMs),
      sender,
      log,
      nowMs,
    }),
  }));
  const each = <T>(work: (delivery: Delivery) => T): T[] => deliveries.map(({ delivery }) => work(delivery));

  return {
    isOn: targets.length > 0,
    async announce(event) {
      await Promise.all(
        each(async (delivery) => {
          if (sendsFirst && (await delivery.sendNow(event))) return;
          await delivery.store(event);
        }),
      );
    },
    start({ takesUp }) {
      each((delivery) => {
        if (takesUp) delivery.takeUp();
        delivery.start();
      });
    },
    async takeUp() {
      if (targets.length === 0) return;
      const removed = await removeExpired(store, MAX_AGE_MS, nowMs());
      const events = [...removed.values()].reduce((sum, count) => sum + count, 0);
      if (events > 0) log.error({ events }, 'events were dropped: they waited for too long');
      each((delivery) => delivery.takeUp(removed));
    },
    async flushed(signal) {
      await Promise.all(each((delivery) => delivery.flushed(signal)));
    },
    async stop() {
      await Promise.all(each((delivery) => delivery.stop()));
    },
    async close() {
      await Promise.all(targets.map(({ sender }) => sender.close()));
    },
    metricSources: targets.length > 0 ? notificationMetrics(deliveries) : [],
  };
}

function notificationMetrics(
  deliveries: readonly { name: string; delivery: Delivery }[],
): readonly MetricSource[] {
  return [
    {
      name: 'notifications_total',
      type: 'counter',
      help: 'Events that were delivered to a target of NOTIFY, attempts that failed, and events that were dropped',
      labelNames: ['target', 'result'],
      read: () =>
        deliveries.flatMap(({ name, delivery: { counts } }) =>
          Object.entries(counts).map(([result, value]) => ({ labels: { target: name, result }, value })),
        ),
    },
    {
      name: 'notifications_waiting',
      type: 'gauge',
      help: 'Events that wait for their delivery to a target of NOTIFY, about',
      labelNames: ['target'],
      read: () => {
        // Webhooks on one server have one name.
        const waiting = new Map<string, number>();
        for (const { name, delivery } of deliveries)
          waiting.set(name, (waiting.get(name) ?? 0) + delivery.waiting());
        return [...waiting].map(([target, value]) => ({ labels: { target }, value }));
      },
    },
  ];
}
