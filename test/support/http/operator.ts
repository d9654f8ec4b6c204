import type { ServerResponse } from 'node:http';
import type { Overrides } from '../../../src/services.ts';
import type { VariantStore } from '../../../src/store/store.ts';
import type { UnitStatus } from '../../../src/unit/status.ts';
import { photograph } from '../pictures.ts';
import { samplesOf } from './prometheus-text.ts';
import { startOrigin, startService } from './service.ts';

type Body = NonNullable<RequestInit['body']>;

export const TOKEN = 'token-of_the.operators~1+/==';

/** What `POST /units` answers. */
export interface Accepted {
  accepted: number;
  images: number;
  refusedCount: number;
  refused: { line: number; state: string; detail: string }[];
}

/** A service that makes one small variant of each image, and an operator who has the token. */
export async function startOperated(env: Record<string, string> = {}, overrides: Overrides = {}) {
  const service = await startService(
    { ADMIN_TOKEN: TOKEN, PREWARM_WIDTHS: '160', PREWARM_FORMATS: 'webp', ...env },
    overrides,
  );
  const ask = (method: string, target: string, body?: Body) =>
    service.request(target, {
      method,
      headers: { Authorization: `Bearer ${TOKEN}` },
      ...(body !== undefined && { body, duplex: 'half' as const }),
    });
  const json = async <T>(answer: Promise<Response>): Promise<T> => (await (await answer).json()) as T;
  const statusOf = (id: string) => json<UnitStatus>(ask('GET', `/units/${id}`));
  return {
    service,
    ask,
    /** Sends NDJSON. */
    send: (body: Body, query = '') => json<Accepted>(ask('POST', `/units${query}`, body)),
    statusOf,
    /** The status of a unit once nothing of it is pending. */
    async settled(id: string): Promise<UnitStatus> {
      for (;;) {
        const status = await statusOf(id);
        if (status.totals.pending === 0) return status;
        await nextTurn();
      }
    },
    /** The samples of `GET /metrics`, by name and labels as they are written. */
    async metrics(): Promise<ReadonlyMap<string, number>> {
      return samplesOf(await (await ask('GET', '/metrics')).text());
    },
  };
}

/** One line of NDJSON. */
export function unitLine(id: string, ...images: string[]): string {
  return `${JSON.stringify({ id, images })}\n`;
}

/** An origin whose answers wait until they are let go. */
export async function startHeldOrigin(picture?: Buffer) {
  const photo = picture ?? (await photograph());
  const held: ServerResponse[] = [];
  const origin = await startOrigin((_request, response) => held.push(response));
  const answerAll = (answer: (response: ServerResponse) => void) => {
    for (const response of held.splice(0)) answer(response);
  };
  return { origin, held, answerAll, letGo: () => answerAll((response) => response.end(photo)) };
}

/** A store that does everything but what is named, for keys and folders that match. */
export function failing(
  store: VariantStore,
  wanted: RegExp,
  ...operations: (keyof VariantStore)[]
): VariantStore {
  const check = (operation: keyof VariantStore, key: unknown) => {
    if (operations.includes(operation) && wanted.test(String(key)))
      throw new Error('the disk is on fire at 10.0.0.7');
  };
  const checked =
    <A extends unknown[], R>(operation: keyof VariantStore, does: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      check(operation, args[0]);
      return await does(...args);
    };
  return {
    get: checked('get', store.get),
    head: checked('head', store.head),
    put: checked('put', store.put),
    replace: checked('put', store.replace),
    delete: checked('delete', store.delete),
    deleteIfMatch: checked('delete', store.deleteIfMatch),
    async *list(folder) {
      check('list', folder);
      yield* store.list(folder);
    },
  };
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await nextTurn();
}

function nextTurn(): Promise<void> {
  return new Promise((turn) => setImmediate(turn));
}
