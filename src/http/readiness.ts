import type { Logger } from 'pino';
import { sleep } from '../backoff.ts';
import { TOMBSTONE_PREFIX } from '../protocol/keys.ts';
import type { VariantStore } from '../store/store.ts';

/** What `GET /readyz` says. */
export interface ReadinessReport {
  isReady: boolean;
  /** Of each part `ok`, `failed` or `timeout`: why is in the log only. */
  checks: Readonly<Record<string, 'ok' | 'failed' | 'timeout'>>;
}

export interface ReadinessOptions {
  /** Checks a part: rejects if it cannot be used. */
  parts: Readonly<Record<string, () => Promise<unknown>>>;
  /** Called with what a part rejects with. */
  onFailure: (part: string, error: unknown) => void;
  /** Default 1,000. */
  timeoutMs?: number;
  /** Milliseconds of a clock that never goes back. */
  nowMs?: () => number;
}

/** A load balancer waits a few seconds for an answer. */
const TIMEOUT_MS = 1000;
/** For so long an answer is given again, whoever asks how often: anyone may, since there is no token. */
const LIFETIME_MS = 1000;

/** Returns the check whether this process can do its work. It takes a bounded time, and asks the parts at most once a second. */
export function createReadiness(options: ReadinessOptions): () => Promise<ReadinessReport> {
  const { parts, onFailure, timeoutMs = TIMEOUT_MS, nowMs = () => performance.now() } = options;
  let last: { report: Promise<ReadinessReport>; atMs: number } | undefined;

  async function checkPart(name: string, check: () => Promise<unknown>): Promise<ReadinessReport['checks']> {
    const timer = new AbortController();
    const checking = check().then(
      () => 'ok' as const,
      (error: unknown) => {
        onFailure(name, error);
        return 'failed' as const;
      },
    );
    const result = await Promise.race([
      checking,
      sleep(timeoutMs, timer.signal).then(() => 'timeout' as const),
    ]);
    timer.abort();
    return { [name]: result };
  }

  async function check(): Promise<ReadinessReport> {
    const results = await Promise.all(Object.entries(parts).map(([name, part]) => checkPart(name, part)));
    const checks = Object.assign({}, ...results) as ReadinessReport['checks'];
    return { isReady: Object.values(checks).every((result) => result === 'ok'), checks };
  }

  return () => {
    if (!last || nowMs() - last.atMs >= LIFETIME_MS) last = { report: check(), atMs: nowMs() };
    return last.report;
  };
}

/** There is no such object: that its absence is known shows that the store answers. Whoever may use the store may read below this prefix. */
const ABSENT_KEY = `${TOMBSTONE_PREFIX}/readyz`;

/** @throws Error if a store does not answer, or nothing can be stored */
export async function assertUsable(store: VariantStore): Promise<void> {
  await store.head(ABSENT_KEY);
  store.assertWritable?.();
}

/** What it means that a part cannot be used, with the variable that names it. */
const UNUSABLE = {
  store:
    'the store that STORE names cannot be used: no variant is kept, and each is made again at every request',
  queue: 'the queue that QUEUE names cannot be used: no unit is prewarmed',
};

/** Logs each part that cannot be used: images are served without them, so nobody may notice. Never rejects. */
export async function tellUnusable(
  parts: Readonly<Record<keyof typeof UNUSABLE, () => Promise<unknown>>>,
  log: Logger,
): Promise<void> {
  const tell = (part: keyof typeof UNUSABLE) =>
    parts[part]().catch((err: unknown) => log.error({ part, err }, UNUSABLE[part]));
  await Promise.all([tell('store'), tell('queue')]);
}
