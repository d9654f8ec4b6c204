import { request } from 'undici';
import { hostAndPort, isPublicAddress } from '../source/address-guard.ts';
import { createGuardedAgent, type GuardedAgent } from '../source/guarded-agent.ts';
import { parseRetryAfter, singleValue } from '../source/http-response.ts';
import { createNameResolver } from '../source/name-resolver.ts';
import type { Message, Sender, SendResult } from './sender.ts';
import { signWebhook, type WebhookSecrets } from './webhook-secrets.ts';

export interface WebhookOptions {
  url: URL;
  /** Returns the secrets to sign with. */
  secrets: () => Promise<WebhookSecrets>;
  /** `host:port` of targets that may have private addresses. */
  allowPrivate: readonly string[];
  userAgent: string;
  /** Of a whole attempt, in milliseconds. Default 15,000: the shortest that Standard Webhooks recommends. */
  timeoutMs?: number;
  /** Default: `Date.now`. */
  nowMs?: () => number;
}

const TIMEOUT_MS = 15_000;
const CONCURRENCY = 8;
/** Statuses that say that this message is wrong, and not that the target is. */
const REFUSED = new Set([400, 413, 415, 422]);
const GONE = 410;

/**
 * Sends events to an HTTP server, signed as Standard Webhooks says. It reaches public addresses only, but for `allowPrivate`, and follows no
 * redirect: the address is the operator's, and an event that went elsewhere would be lost.
 */
export function createWebhookSender(options: WebhookOptions): Sender {
  const { url, timeoutMs = TIMEOUT_MS } = options;
  const agent = createAgent(options);
  return {
    concurrency: CONCURRENCY,
    async send(message) {
      try {
        return await attempt(message, agent, options);
      } catch (error) {
        const { code = '', message: reason } = error as NodeJS.ErrnoException;
        const isTimeout = (error as Error).name === 'TimeoutError';
        const why = isTimeout ? `no answer within ${timeoutMs / 1000} s` : reason || code;
        return { state: 'failed', reason: `${url.host}: ${why}` };
      }
    },
    close: () => agent.dispatcher.destroy(),
  };
}

function createAgent({ url, allowPrivate, timeoutMs = TIMEOUT_MS }: WebhookOptions): GuardedAgent {
  const mayBePrivate = allowPrivate.includes(hostAndPort(url));
  return createGuardedAgent({
    resolve: createNameResolver(),
    acceptsAddress: mayBePrivate ? () => true : isPublicAddress,
    connectTimeoutMs: timeoutMs,
  });
}

async function attempt(
  message: Message,
  { dispatcher }: GuardedAgent,
  { url, secrets, userAgent, timeoutMs = TIMEOUT_MS, nowMs = Date.now }: WebhookOptions,
): Promise<SendResult> {
  const { statusCode, headers, body } = await request(url, {
    dispatcher,
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'user-agent': userAgent,
      ...signWebhook(message, await secrets(), nowMs()),
    },
    body: message.body,
    signal: AbortSignal.timeout(timeoutMs),
  });
  // Frees the connection for the next message. What it says is not needed.
  await body.dump({ limit: 65_536 });
  if (statusCode >= 200 && statusCode < 300) return { state: 'delivered' };
  const reason = `status ${statusCode} from ${url.host}`;
  if (statusCode === GONE) return { state: 'gone', reason };
  if (REFUSED.has(statusCode)) return { state: 'refused', reason };
  const retryAfterSeconds = parseRetryAfter(singleValue(headers, 'retry-after'), nowMs());
  return {
    state: 'failed',
    reason,
    retryAfterMs: retryAfterSeconds === undefined ? undefined : retryAfterSeconds * 1000,
  };
}
