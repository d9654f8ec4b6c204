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

export interface Rate {
  perSecond: number;
  seconds: number;
  patienceMs: number;
  /** Whether those who are refused come again after the time that they are told, as long as new viewers come. */
  comeAgain?: boolean;
}

/**
 * Viewers who come at a constant rate, whether or not others still wait (an open loop). Resolves when the last one has left, with what each
 * saw at last, and how many requests they sent.
 */
export async function viewAtRate(
  urlAt: (index: number) => string,
  { perSecond, seconds, patienceMs, comeAgain = false }: Rate,
): Promise<{ seen: Seen[]; requests: number }> {
  const start = performance.now();
  const elapsedSeconds = () => (performance.now() - start) / 1000;
  const all: Promise<Seen>[] = [];
  const count = Math.round(perSecond * seconds);
  let requests = 0;
  const comeAndView = async (url: string): Promise<Seen> => {
    requests++;
    const seen = await view(url, patienceMs);
    const { status, retryAfterSeconds = 0 } = seen;
    if (!comeAgain || status !== 503 || elapsedSeconds() + retryAfterSeconds > seconds) return seen;
    await sleep(1000 * retryAfterSeconds);
    return await comeAndView(url);
  };
  while (all.length < count) {
    const due = Math.min(count, Math.ceil(elapsedSeconds() * perSecond));
    while (all.length < due) all.push(comeAndView(urlAt(all.length)));
    await sleep(5);
  }
  return { seen: await Promise.all(all), requests };
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
