/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
import type { Context } from 'hono';
import { html } from 'hono/html';
import type { JSX } from 'hono/jsx/jsx-runtime';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import type { Logger } from 'pino';
import { sleep } from '../../backoff.ts';
import { sumOf, WaitingUnits, WatchedRow, type WatchedSum, WatchTotals } from '../../pages/watch-units.tsx';
import { EdgepressError } from '../../protocol/error.ts';
import type { UnitQueue } from '../../queue/queue.ts';
import type { Units } from '../../unit/units.ts';
import type { AppEnvironment } from '../http-request.ts';
import { PRIVATE_HEADERS } from '../responses.ts';

// Units as they become ready, as server-sent events whose data are parts of the page that shows them:
//   unit     the row of a unit
//   totals   the sum of all, once each has been looked at
//   waiting  how many units are on the queue, for a page that shows not all that were sent
//   trouble  the store cannot be read just now, as text
//   done     nothing more will come: the page closes the stream

export interface UnitEventsOptions {
  units: Pick<Units, 'watch'>;
  queue: Pick<UnitQueue, 'depth'>;
  /** Aborts when the process drains: then all streams end, and the pages open new ones elsewhere or later. */
  draining: AbortSignal;
  log: Logger;
}

/** What a page follows. */
export interface Followed {
  ids: readonly string[];
  /** Whether it also says how many units are on the queue, until there are none. */
  withQueue: boolean;
}

/** Answers a request with the events of units. Throws `overloaded` if too many streams are open. */
export type SendUnitEvents = (c: Context<AppEnvironment>, followed: Followed) => Response;

/** Of this process. Each keeps a connection. */
export const MAX_STREAMS = 32;
/** Then a page opens the stream anew, if it is still there and its visitor still logged in. */
const MAX_STREAM_MS = 15 * 60 * 1000;
/** Proxies close what is silent for a minute, and a viewer that has left without a word is only noticed by sending something. */
const KEEP_ALIVE_MS = 15_000;
/** How often the queue is asked, which is a LIST of the store or a request to SQS. */
const QUEUE_INTERVAL_MS = 2000;
/** How long a page waits before it opens a stream again that has ended. */
const RECONNECT_MS = 2000;
const RETRY_AFTER_SECONDS = 10;

export function createUnitEvents({ units, queue, draining, log }: UnitEventsOptions): SendUnitEvents {
  let open = 0;

  async function sendAll(stream: SSEStreamingApi, { ids, withQueue }: Followed): Promise<void> {
    const left = new AbortController();
    stream.onAbort(() => left.abort());
    const signal = AbortSignal.any([left.signal, draining, AbortSignal.timeout(MAX_STREAM_MS)]);
    const keepAlive = setInterval(() => void stream.write(': still here\n\n'), KEEP_ALIVE_MS);
    open++;
    try {
      await stream.writeSSE({ event: 'begin', data: '', retry: RECONNECT_MS });
      await Promise.all([sendChanges(stream, ids, signal), withQueue && sendWaiting(stream, signal)]);
      if (!signal.aborted) await stream.writeSSE({ event: 'done', data: '' });
    } finally {
      open--;
      clearInterval(keepAlive);
    }
  }

  async function sendChanges(
    stream: SSEStreamingApi,
    ids: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const latest = new Map<string, WatchedSum>();
    let isTroubled = false;
    const onError = (error: unknown) => {
      if (isTroubled) return;
      isTroubled = true;
      log.warn({ err: error }, 'the units that a page shows could not be read');
      void stream.writeSSE({ event: 'trouble', data: 'The store cannot be read just now: trying again.' });
    };
    for await (const unit of units.watch(ids, { signal, onError })) {
      isTroubled = false;
      latest.set(unit.id, sumOf(unit));
      await stream.writeSSE({ event: 'unit', data: await textOf(<WatchedRow unit={unit} />) });
      if (latest.size === ids.length) {
        const data = await textOf(<WatchTotals units={[...latest.values()]} />);
        await stream.writeSSE({ event: 'totals', data });
      }
    }
  }

  async function sendWaiting(stream: SSEStreamingApi, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // The queue may fail for a while: then the page says what it said before.
      const count = await queue.depth().catch(() => undefined);
      if (count !== undefined)
        await stream.writeSSE({ event: 'waiting', data: await textOf(<WaitingUnits count={count} />) });
      if (count === 0) return;
      await sleep(QUEUE_INTERVAL_MS, signal);
    }
  }

  return (c, followed) => {
    if (draining.aborted || open >= MAX_STREAMS) {
      const detail = `The live view is not available just now: ${MAX_STREAMS} others watch units at this server, or it is about to end`;
      throw new EdgepressError('overloaded', detail, {
        retryable: true,
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      });
    }
    const response =
      c.req.method === 'HEAD'
        ? c.body(null)
        : streamSSE(
            c,
            (stream) => sendAll(stream, followed),
            async (error) => log.error({ err: error }, 'a bug: the events of units could not be sent'),
          );
    const headers = { ...PRIVATE_HEADERS, 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' };
    for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
    // nginx would keep the events until it has some kilobytes of them.
    response.headers.set('X-Accel-Buffering', 'no');
    return response;
  };
}

async function textOf(element: JSX.Element): Promise<string> {
  return String(await html`${element}`);
}
