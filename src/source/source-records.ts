import { z } from 'zod';
import { EdgepressError, type ErrorCode } from '../protocol/error.ts';
import type { BestEffortStore } from '../store/best-effort-store.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/**
 * How long a broken source is left alone: the first time, and at most, doubling with each failure in a row. Minutes for
 * what may pass by itself; hours for what will not, since the answer is known and each attempt costs the client's server.
 */
const PATIENCE = {
  retryable: { firstMs: MINUTE_MS, mostMs: HOUR_MS },
  hopeless: { firstMs: HOUR_MS, mostMs: 24 * HOUR_MS },
};

/** What a source can be remembered for. All else is the request's fault, or ours. */
const REMEMBERED = [
  'source_forbidden',
  'source_not_found',
  'source_too_large',
  'source_not_image',
  'source_corrupt',
  'source_unavailable',
  'source_timeout',
] as const satisfies ErrorCode[];

const recordSchema = z.object({
  code: z.enum(REMEMBERED),
  detail: z.string(),
  /** When it was first found broken. */
  since: z.iso.datetime(),
  /** When whoever tried it last began. */
  lastAttempt: z.iso.datetime(),
  /** Until then it is left alone. */
  nextAttempt: z.iso.datetime(),
  /** Attempts in a row that failed. */
  failures: z.int().min(1),
  retryable: z.boolean(),
});

/** Why a source is broken, and until when to leave it alone: `source.json` beside its variants. */
export type SourceRecord = z.infer<typeof recordSchema>;

export interface SourceRecords {
  /** The record at this key, or `undefined`: the source is not known to be broken. */
  read(key: string): Promise<SourceRecord | undefined>;
  /** The error to answer with at once, or `undefined` when the source may be tried (again). */
  cachedFailure(record: SourceRecord | undefined): EdgepressError | undefined;
  /**
   * Remembers a failure, if it is the source's, after what was known before.
   *
   * @param startedAtMs - when the attempt began, in Unix milliseconds
   * @returns the error to answer with: the same, which now says when to try again; and whether it is remembered, if it should be
   */
  remember(
    key: string,
    error: unknown,
    before: SourceRecord | undefined,
    startedAtMs: number,
  ): Promise<{ error: unknown; isKept: boolean }>;
  /** Forgets what was known, since the source works again. */
  forget(key: string, before: SourceRecord | undefined): Promise<void>;
}

/** @param nowMs - the time, in Unix milliseconds */
export function createSourceRecords(store: BestEffortStore, nowMs: () => number): SourceRecords {
  function cachedFailure(record: SourceRecord | undefined, cause?: unknown): EdgepressError | undefined {
    const leftMs = record ? Date.parse(record.nextAttempt) - nowMs() : 0;
    if (!record || leftMs <= 0) return undefined;
    const { code, detail, retryable } = record;
    return new EdgepressError(code, detail, {
      retryable,
      cause,
      ...(retryable && { retryAfterSeconds: Math.ceil(leftMs / 1000) }),
    });
  }

  return {
    read: async (key) => {
      const object = await store.get(key);
      return object && parseRecord(object.body);
    },
    cachedFailure: (record) => cachedFailure(record),
    remember: async (key, error, before, startedAtMs) => {
      if (!isRemembered(error)) return { error, isKept: true };
      const record = nextRecord(error, before, startedAtMs, nowMs());
      const body = new TextEncoder().encode(JSON.stringify(record));
      const put = await store.put(key, body, { contentType: 'application/json' });
      return { error: cachedFailure(record, error.cause) ?? error, isKept: put !== undefined };
    },
    forget: async (key, before) => {
      if (before) await store.delete([key]);
    },
  };
}

type RememberedError = EdgepressError & { code: SourceRecord['code'] };

function isRemembered(error: unknown): error is RememberedError {
  return error instanceof EdgepressError && (REMEMBERED as readonly ErrorCode[]).includes(error.code);
}

function nextRecord(
  error: RememberedError,
  before: SourceRecord | undefined,
  startedAtMs: number,
  nowMs: number,
): SourceRecord {
  const failures = (before?.failures ?? 0) + 1;
  const { firstMs, mostMs } = isCheapToAsk(error) ? PATIENCE.retryable : PATIENCE.hopeless;
  const patienceMs = Math.min(firstMs * 2 ** Math.min(failures - 1, 10), mostMs);
  // A source that says when to come back is believed, unless our own patience is longer.
  const waitMs = Math.max(patienceMs, (error.retryAfterSeconds ?? 0) * 1000);
  return {
    code: error.code,
    detail: error.message,
    since: before?.since ?? new Date(nowMs).toISOString(),
    lastAttempt: new Date(startedAtMs).toISOString(),
    nextAttempt: new Date(nowMs + waitMs).toISOString(),
    failures,
    retryable: error.retryable,
  };
}

/** What our own rules forbid is asked again soon: it costs the client's server nothing, and operators change rules. */
function isCheapToAsk(error: RememberedError): boolean {
  return error.retryable || error.code === 'source_forbidden';
}

/** A record that cannot be read is as good as none: the source is tried again and a new one written. */
function parseRecord(body: Uint8Array): SourceRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return undefined;
  }
}
