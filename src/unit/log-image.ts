import type { Logger } from 'pino';
import { sourceHost } from '../variant/src-parameter.ts';
import type { ImageOutcome } from './outcome.ts';

/** Writes the one line of an image that was prewarmed. */
export function logImage(log: Logger, outcome: ImageOutcome): void {
  const { unit, src, state } = outcome;
  const why = state === 'broken' ? { code: outcome.code, reason: outcome.detail } : {};
  log.info({ unit, sourceHost: sourceHost(src), state, ...why }, 'prewarm');
}
