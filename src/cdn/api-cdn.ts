import PQueue from 'p-queue';
import { Agent, request } from 'undici';
import { backoffDelay, sleep, withJitter } from '../backoff.ts';
import type { Cdn, Invalidation } from './cdn.ts';
import type { PurgeApi } from './purge-api.ts';

const CONNECTION_TIMEOUT_MS = 3000;
const ANSWER_TIMEOUT_MS = 15_000;
/** The first and five more, over about 12 s: a purge can wait, and a person has to repeat one that fails. */
const MAX_ATTEMPTS = 6;
/** Calls at once. Bunny takes one tag a call. */
const CONCURRENCY = 4;
/** Delays after 429 grow to 64 times the first. */
const MAX_BACKOFF_FACTOR = 64;
const MAX_ANSWER_BYTES = 262_144;
const SHOWN_CHARACTERS = 200;

export interface ApiCdnOptions {
  /** The delay before the second attempt at a call, in milliseconds; it doubles for each that follows. Default 400. */
  retryDelayMs?: number;
}

/**
 * Invalidates by tag with one HTTP call for each `maxTags` tags. A call that fails is repeated five times; one that the CDN has no time for
 * (429) for as long as it takes. When all six attempts fail, or the CDN refuses the token, no further calls are started: with one tag a call
 * they could fail for hours. A CDN that has answered forgets its copies within seconds, and has no API that says how far it is.
 */
export function createApiCdn(api: PurgeApi, { retryDelayMs = 400 }: ApiCdnOptions = {}): Cdn {
  const agent = new Agent({ connect: { timeout: CONNECTION_TIMEOUT_MS } });
  const closed = new AbortController();
  const queue = new PQueue({ concurrency: CONCURRENCY });

  async function purge(tags: readonly string[]): Promise<Invalidation> {
    let failures = 0;
    for (let attempts = 1; ; attempts++) {
      const outcome = await attempt(api, tags, agent, closed.signal);
      if ('id' in outcome) return { id: outcome.id ?? api.name, tags: tags.length };
      closed.signal.throwIfAborted();
      const isBusy = outcome.isRetryable && outcome.status === 429;
      if (!isBusy) failures++;
      const final = finalError(outcome, failures);
      if (final) throw final;
      const delayMs = withJitter(backoffDelay(retryDelayMs, attempts, MAX_BACKOFF_FACTOR * retryDelayMs));
      await sleep(Math.max(delayMs, outcome.retryAfterMs ?? 0), closed.signal);
      closed.signal.throwIfAborted();
    }
  }

  return {
    async invalidate(tags) {
      const distinct = [...new Set(tags)];
      for (const tag of distinct) assertTag(tag);
      let allFail: AllCallsFail | undefined;
      const purgeUnlessAllFail = async (batch: readonly string[]) => {
        if (allFail) throw allFail;
        try {
          return await purge(batch);
        } catch (error) {
          if (error instanceof AllCallsFail) allFail = error;
          throw error;
        }
      };
      const calls: Promise<Invalidation>[] = [];
      for (let start = 0; start < distinct.length; start += api.maxTags) {
        const batch = distinct.slice(start, start + api.maxTags);
        calls.push(queue.add(() => purgeUnlessAllFail(batch)));
      }
      // A fault of the tags in one call is none of the others: they are made, and the first fault is thrown.
      const results = await Promise.allSettled(calls);
      const failed = results.find((result) => result.status === 'rejected');
      if (failed) throw allFail ?? failed.reason;
      return await Promise.all(calls);
    },
    wait: async () => undefined,
    close() {
      closed.abort(new Error('the CDN was closed before it had answered'));
      void agent.destroy();
    },
  };
}

/** A failure that every other call would end with, too. */
class AllCallsFail extends Error {}

type Outcome = { id: string | undefined } | Failure;

interface Failure {
  error: Error;
  isRetryable: boolean;
  status?: number;
  retryAfterMs?: number | undefined;
}

/** Returns what a call ends with after so many failures, or nothing if it is to be repeated. */
function finalError({ error, isRetryable }: Failure, failures: number): Error | undefined {
  if (!isRetryable) return error;
  return failures < MAX_ATTEMPTS ? undefined : new AllCallsFail(error.message, { cause: error });
}

async function attempt(
  api: PurgeApi,
  tags: readonly string[],
  agent: Agent,
  closed: AbortSignal,
): Promise<Outcome> {
  const { url, ...call } = api.request(tags);
  try {
    const signal = AbortSignal.any([closed, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]);
    // The types of undici have the common methods only.
    const method = call.method as 'POST';
    const { statusCode, headers, body } = await request(url, { ...call, method, dispatcher: agent, signal });
    const text = await readText(body);
    if (statusCode >= 200 && statusCode < 300) return readAnswer(api, text);
    return {
      error: explain(api, statusCode, text),
      isRetryable: statusCode === 429 || statusCode === 408 || statusCode >= 500,
      status: statusCode,
      retryAfterMs: secondsOf(headers['retry-after']),
    };
  } catch (error) {
    const isTimeout = (error as Error).name === 'TimeoutError';
    const { code, message } = error as NodeJS.ErrnoException;
    const why = isTimeout ? `no answer within ${ANSWER_TIMEOUT_MS / 1000} s` : message || code;
    return {
      error: new Error(`${api.name} cannot be told to purge: ${why}`, { cause: error }),
      isRetryable: true,
    };
  }
}

function readAnswer(api: PurgeApi, text: string): Outcome {
  const answer = api.read?.(parseJson(text)) ?? { id: undefined };
  if ('id' in answer) return answer;
  return { error: new Error(`${api.name} did not purge: ${said(api, answer.fault)}`), isRetryable: false };
}

/** Makes an error that tells an operator what to change. */
function explain(api: PurgeApi, status: number, text: string): Error {
  const { name, advice, read } = api;
  const answer = read?.(parseJson(text));
  const reason = said(
    api,
    answer && 'fault' in answer && answer.fault !== 'no success' ? answer.fault : text,
  );
  const answered = `${name} answered ${status}${reason === '' ? '' : ` (${reason})`}`;
  if (status === 401 || status === 403) return new AllCallsFail(`${answered}: ${advice.refused}`);
  if (status === 404 || status === 405) return new AllCallsFail(`${answered}: ${advice.unknown}`);
  return new Error(`${answered} to a purge`);
}

/** What a CDN answered, as a short line without the token, even if the answer repeats it. */
function said({ token }: PurgeApi, text: string): string {
  return (token ? text.replaceAll(token, '(token)') : text)
    .replaceAll(/[^\x21-\x7e]+/g, ' ')
    .trim()
    .slice(0, SHOWN_CHARACTERS);
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_ANSWER_BYTES) break;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads `Retry-After` in its form with seconds, in milliseconds. */
function secondsOf(header: string | string[] | undefined): number | undefined {
  return typeof header === 'string' && /^\d{1,4}$/.test(header) ? 1000 * Number(header) : undefined;
}

/** Checked here, because a CDN may refuse all tags of a call for a single invalid one, and a comma would make two of it. */
function assertTag(tag: string): void {
  if (!/^[\x21-\x2b\x2d-\x7e]{1,256}$/.test(tag))
    throw new TypeError(`not a cache tag: ${JSON.stringify(tag)}`);
}
