import type { Readable } from 'node:stream';
import type { AnswerWatcher } from './source.ts';
import { timeoutFailure } from './source-failure.ts';

export interface BodyPaceOptions {
  watcher: AnswerWatcher | undefined;
  /** The time for the whole fetch, in milliseconds. */
  timeoutMs: number;
  /** The host or bucket, for error messages. */
  from: string;
}

const LOOK_MS = 1000;
/** Less than this between two looks is next to nothing. A body of a picture that comes no faster would not be complete before the timeout. */
const LEAST_BYTES = 4096;
/** What a body may have in memory while it holds no place. */
const MAX_BYTES_WITHOUT_PLACE = 262_144;
/** Part of the timeout for which more than that may be held by a body that hardly comes any more. */
const MAX_STALL = 1 / 4;

/**
 * Sees to it that a body which hardly comes does not keep others from theirs. One that has sent little counts as silent, so that its place goes
 * to others, and is read on meanwhile; with more than 256 KiB it waits for a place again. One that has sent more, and then less than 4 KiB a second
 * for a quarter of the timeout, ends with `source_timeout`.
 *
 * To be called before the body is read, in the same turn of the event loop.
 */
export function watchPace(body: Readable, { watcher, timeoutMs, from }: BodyPaceOptions): void {
  let [bytes, bytesAtLook, stalledMs] = [0, 0, 0];
  let place: 'held' | 'given back' | 'awaited' = 'held';

  function stall(): void {
    if (place === 'held') watcher?.onStall();
    place = 'given back';
  }

  async function goOn(): Promise<void> {
    place = 'awaited';
    body.pause();
    try {
      await watcher?.onAnswer();
      [place, stalledMs] = ['held', 0];
      body.resume();
    } catch (error) {
      body.destroy(error as Error);
    }
  }

  const timer = setInterval(() => {
    const isStalled = bytes - bytesAtLook < LEAST_BYTES && place !== 'awaited';
    bytesAtLook = bytes;
    stalledMs = isStalled ? stalledMs + LOOK_MS : 0;
    if (!isStalled) return;
    if (bytes <= MAX_BYTES_WITHOUT_PLACE) stall();
    else if (stalledMs >= timeoutMs * MAX_STALL)
      body.destroy(timeoutFailure(from, `hardly anything more of the response for ${stalledMs} ms`));
  }, LOOK_MS);
  timer.unref();
  body.once('close', () => clearInterval(timer));
  body.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (place === 'given back' && bytes > MAX_BYTES_WITHOUT_PLACE) void goOn();
  });
}
