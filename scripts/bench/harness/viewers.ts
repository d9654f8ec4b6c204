import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';

/** What a viewer got. */
export interface Seen {
  /** The status; 0 if there was no answer, or the viewer had left. */
  status: number;
  ms: number;
  retryAfterSeconds: number | undefined;
  bytes: number;
}

/**
 * Requests a URL and reads the whole answer.
 *
 * @param patienceMs - after this time the viewer leaves
 */
export async function view(url: string, patienceMs: number): Promise<Seen> {
  const start = performance.now();
  const seen = (status: number, bytes = 0, retryAfter?: string): Seen => ({
    ...{ status, bytes, ms: performance.now() - start },
    retryAfterSeconds: retryAfter === undefined ? undefined : Number(retryAfter),
  });
  try {
    const signal = AbortSignal.timeout(patienceMs);
    const { statusCode, headers, body } = await request(url, { signal, headersTimeout: 0, bodyTimeout: 0 });
    const { byteLength } = await body.arrayBuffer();
    return seen(statusCode, byteLength, headers['retry-after']?.toString());
  } catch {
    return seen(0);
  }
}

/** Viewers who come at a constant rate, whether or not others still wait (an open loop). Resolves when the last one has left. */
export async function viewAtRate(
  urlAt: (index: number) => string,
  { perSecond, seconds, patienceMs }: { perSecond: number; seconds: number; patienceMs: number },
): Promise<Seen[]> {
  const start = performance.now();
  const all: Promise<Seen>[] = [];
  const count = Math.round(perSecond * seconds);
  while (all.length < count) {
    const due = Math.min(count, Math.ceil(((performance.now() - start) / 1000) * perSecond));
    while (all.length < due) all.push(view(urlAt(all.length), patienceMs));
    await sleep(5);
  }
  return await Promise.all(all);
}

/** A number of viewers, each of whom comes back as soon as he was answered (a closed loop), until the signal aborts or the time is over. */
export async function viewInTurn(
  urlAt: (index: number) => string,
  {
    viewers,
    seconds,
    patienceMs,
    pauseMs = 0,
  }: { viewers: number; seconds: number; patienceMs: number; pauseMs?: number },
  signal?: AbortSignal,
): Promise<Seen[]> {
  const deadline = performance.now() + seconds * 1000;
  const all: Seen[] = [];
  let next = 0;
  const viewer = async () => {
    while (performance.now() < deadline && !signal?.aborted) {
      all.push(await view(urlAt(next++), patienceMs));
      await sleep(pauseMs);
    }
  };
  await Promise.all(Array.from({ length: viewers }, viewer));
  return all;
}
