import { z } from 'zod';
import { backoffDelay } from '../backoff.ts';
import { EdgepressError, type ErrorCode } from '../protocol/error.ts';
import type { Sha256 } from '../protocol/keys.ts';
import { lastPurgeField, type WorkStart } from '../protocol/work-start.ts';
import type { BestEffortStore } from '../store/best-effort-store.ts';
import { isHostRefusal } from './host-breakers.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * How long a failure is cached: the first time and at most, doubling with each failure in a row. Minutes for what may be temporary; hours
 * for what is permanent, since the answer is known and each attempt costs the client's server.
 */
const BACKOFF = {
  temporary: { firstMs: MINUTE_MS, maxMs: HOUR_MS },
  permanent: { firstMs: HOUR_MS, maxMs: 24 * HOUR_MS },
};

/** A record whose attempt is further in the future was stored by a wrong clock, or ours is wrong: then the source is tried again. */
const MAX_CLOCK_DIFFERENCE_MS = MINUTE_MS;

/** The errors that are the source's, which are cached. All others are caused by the request or by this service. */
export const CACHED_CODES = [
  'source_forbidden',
  'source_not_found',
  'source_too_large',
  'source_not_image',
  'source_corrupt',
  'source_unavailable',
  'source_timeout',
] as const satisfies ErrorCode[];

const recordSchema = z.object({
  code: z.enum(CACHED_CODES),
  detail: z.string(),
  /** The time of the first failure in a row. */
  since: z.iso.datetime(),
  /** The time at which the last attempt started. */
  lastAttempt: z.iso.datetime(),
  /** The time of the unit's tombstone at that moment; `null`: there was none. Earlier versions did not say. */
  lastPurge: z.iso.datetime().nullable().optional(),
  /** No attempt is made before this time. */
  nextAttempt: z.iso.datetime(),
  /** The number of failures in a row. */
  failures: z.int().min(1),
  retryable: z.boolean(),
  /** A hash of the URL that failed. A record without it is about all URLs of the source. */
  url: z.string().optional(),
});

type StoredRecord = z.infer<typeof recordSchema>;

/** A cached failure: why a source is broken, and until when not to try it again. It is stored as `source.json` beside the variants. */
export interface SourceRecord extends StoredRecord {
  /** Whether another URL of the source failed, such as one that has expired: then nothing is known of this one. */
  isOfOtherUrl: boolean;
}

export interface SourceRecords {
  /** Returns the record at a key; `undefined` if there is none. */
  read(key: string, src: string): Promise<SourceRecord | undefined>;
  /** Returns the error to answer with instead of an attempt; `undefined` if the source may be tried (again). */
  cachedFailure(record: SourceRecord | undefined): EdgepressError | undefined;
  /**
   * Stores a failure if it is the source's.
   *
   * @param previous - the record before this attempt, if there was one
   * @param start - when the attempt started
   * @returns `error`: the error to answer with, which is the same one but with the time of the next attempt. `isSaved`: whether it is stored;
   *   also `true` if it is not the source's failure and so not to be stored
   */
  saveFailure(
    key: string,
    error: unknown,
    previous: SourceRecord | undefined,
    start: WorkStart,
    src: string,
  ): Promise<{ error: unknown; isSaved: boolean }>;
  /** Deletes the record, if there was one, since the source works again. */
  clear(key: string, previous: SourceRecord | undefined): Promise<void>;
}

/**
 * @param nowMs - returns the time, in Unix milliseconds
 * @param sha256 - of a whole URL
 */
export function createSourceRecords(
  store: Omit<BestEffortStore, 'peek'>,
  nowMs: () => number,
  sha256: Sha256,
): SourceRecords {
  // A hash, because the URL may contain secrets, and short, because only different URLs have to differ.
  const urlHash = (src: string) => sha256(src).slice(0, 16);

  function cachedFailure(record: SourceRecord | undefined, cause?: unknown): EdgepressError | undefined {
    if (!record || record.isOfOtherUrl) return undefined;
    const leftMs = Date.parse(record.nextAttempt) - nowMs();
    const isOfFuture = Date.parse(record.lastAttempt) > nowMs() + MAX_CLOCK_DIFFERENCE_MS;
    if (leftMs <= 0 || isOfFuture) return undefined;
    const { code, detail, retryable } = record;
    return new EdgepressError(code, detail, {
      retryable,
      cause,
      ...(retryable && { retryAfterSeconds: Math.ceil(leftMs / 1000) }),
    });
  }

  return {
    read: async (key, src) => {
      const object = await store.get(key);
      const record = object && parseRecord(object.body);
      return record && { ...record, isOfOtherUrl: record.url !== undefined && record.url !== urlHash(src) };
    },
    cachedFailure: (record) => cachedFailure(record),
    saveFailure: async (key, error, previous, start, src) => {
      if (!isSourceError(error)) return { error, isSaved: true };
      // What is known of the source itself is worth more than that its host was not asked.
      if (isHostRefusal(error) && previous) return { error, isSaved: true };
      const last = previous?.isOfOtherUrl ? undefined : previous;
      const record = { ...nextRecord(error, last, start, nowMs()), url: urlHash(src) };
      const body = new TextEncoder().encode(JSON.stringify(record));
      const put = await store.put(key, body, { contentType: 'application/json' });
      const cached = cachedFailure({ ...record, isOfOtherUrl: false }, error.cause);
      return { error: cached ?? error, isSaved: put !== undefined };
    },
    clear: async (key, previous) => {
      if (previous) await store.delete([key]);
    },
  };
}

type SourceError = EdgepressError & { code: SourceRecord['code'] };

function isSourceError(error: unknown): error is SourceError {
  return error instanceof EdgepressError && (CACHED_CODES as readonly ErrorCode[]).includes(error.code);
}

function nextRecord(
  error: SourceError,
  previous: SourceRecord | undefined,
  start: WorkStart,
  nowMs: number,
): StoredRecord {
  const failures = (previous?.failures ?? 0) + 1;
  const { firstMs, maxMs } = isTriedSoon(error) ? BACKOFF.temporary : BACKOFF.permanent;
  const askedToWaitMs = (error.retryAfterSeconds ?? 0) * 1000;
  // A longer Retry-After of the source takes precedence. A source that was not asked for is asked for as soon as its host may be.
  const waitMs = isHostRefusal(error)
    ? askedToWaitMs
    : Math.max(backoffDelay(firstMs, failures, maxMs), askedToWaitMs);
  return {
    code: error.code,
    detail: error.message,
    since: previous?.since ?? new Date(nowMs).toISOString(),
    lastAttempt: new Date(start.atMs).toISOString(),
    ...lastPurgeField(start),
    nextAttempt: new Date(nowMs + waitMs).toISOString(),
    failures,
    retryable: error.retryable,
  };
}

/** A source that our own rules forbid is tried again soon too: it costs the client's server nothing, and operators change rules. */
function isTriedSoon(error: SourceError): boolean {
  return error.retryable || error.code === 'source_forbidden';
}

/** A record that cannot be read counts as absent: the source is tried again and the record replaced. */
function parseRecord(body: Uint8Array): StoredRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return undefined;
  }
}
