import { createHash } from 'node:crypto';
import { EVENT_PREFIX } from '../protocol/keys.ts';
import { isUnit } from '../protocol/request.ts';
import type { VariantStore } from '../store/store.ts';
import type { Message } from './sender.ts';
import type { UnitEvent } from './unit-event.ts';

/** An event that waits in the store for its delivery. */
export interface WaitingEvent {
  key: string;
  unit: string;
  /** When it was stored, in Unix milliseconds. */
  sinceMs: number;
}

/**
 * Events that wait for their delivery to one target: an object each, which is removed when the event was delivered. So an event survives the
 * process, and whatever keeps its target from taking it.
 */
export interface Outbox {
  /** Where they are in the store. */
  folder: string;
  /** Stores an event. The same event again takes the place of the first. */
  add(event: UnitEvent): Promise<WaitingEvent>;
  /** Lists what waits, by the time of the submissions. */
  list(): AsyncIterable<WaitingEvent>;
  /** Returns an event as it is sent; `undefined` when it was delivered by another process, or is damaged. */
  read(waiting: WaitingEvent): Promise<Message | undefined>;
  remove(keys: readonly string[]): Promise<void>;
}

/** The time of the submission in Unix milliseconds, the type, and the unit. */
const EVENT_NAME = /^(\d{13})-(completed|failed)-(.+)\.json$/;
/** Of the time: the names of one folder are within 100 s, so that a listing of the first ones reads few of a million. */
const FOLDER_DIGITS = 8;

/**
 * @param target - its text in `NOTIFY`
 * @param nowMs - in Unix milliseconds
 */
export function createOutbox(store: VariantStore, target: string, nowMs: () => number): Outbox {
  const folder = outboxFolder(target);
  return {
    folder,
    async add(event) {
      const { unit, submittedAt } = event.data;
      const time = String(Date.parse(submittedAt)).padStart(13, '0');
      const name = `${time}-${event.type.slice('unit.'.length)}-${unit}.json`;
      const key = `${folder}/${time.slice(0, FOLDER_DIGITS)}/${name}`;
      const body = new TextEncoder().encode(JSON.stringify(event));
      await store.put(key, body, { contentType: 'application/json' });
      return { key, unit, sinceMs: nowMs() };
    },
    async *list() {
      for await (const { key, modifiedMs } of store.list(folder)) {
        const unit = EVENT_NAME.exec(key.slice(key.lastIndexOf('/') + 1))?.[3];
        if (unit !== undefined && isUnit(unit)) yield { key, unit, sinceMs: modifiedMs };
      }
    },
    async read({ key, unit }) {
      const object = await store.get(key);
      return object && toMessage(new TextDecoder().decode(object.body), unit);
    },
    remove: (keys) => store.delete(keys),
  };
}

/** Returns an event as it is sent: the same bytes at each attempt. */
export function toMessage(body: string, unit: string): Message | undefined {
  try {
    const { id, type } = JSON.parse(body) as UnitEvent;
    return { id, type, unit, body };
  } catch {
    return undefined;
  }
}

/**
 * Removes the events that have waited for longer than this, whatever their target: also for one that `NOTIFY` no longer names.
 *
 * @returns how many, by the folder of the target's outbox
 */
export async function removeExpired(
  store: VariantStore,
  maxAgeMs: number,
  nowMs: number,
): Promise<ReadonlyMap<string, number>> {
  const removed = new Map<string, number>();
  for await (const { key, modifiedMs } of store.list(EVENT_PREFIX)) {
    if (nowMs - modifiedMs <= maxAgeMs) continue;
    await store.delete([key]);
    const folder = key.split('/', 2).join('/');
    removed.set(folder, (removed.get(folder) ?? 0) + 1);
  }
  return removed;
}

/** A URL may be secret, and has characters that keys have not. */
function outboxFolder(target: string): string {
  return `${EVENT_PREFIX}/${createHash('sha256').update(target).digest('hex').slice(0, 16)}`;
}
