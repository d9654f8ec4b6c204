import type { Logger } from 'pino';
import type { ErrorCode } from '../protocol/error.ts';
import type { VariantSpec } from '../protocol/keys.ts';
import type { Format, Tier } from '../protocol/request.ts';
import { sourceHost } from '../protocol/source-syntax.ts';
import type { StoredInfo } from '../store/store.ts';

/** One variant that is in the store. */
export interface MadeVariant {
  /** The rung of the ladder; the picture itself may be narrower, like its source. */
  width: number;
  tier: Tier;
  format: Format;
  /** What it really is, such as `image/webp` for an animation in `avif`. */
  type: string;
  bytes: number;
  /** Set where it weighs more than its unit allows, and nothing smaller would look as `saver` does. */
  overBudget?: true;
}

/** How it went with one image of a unit: a line of `prewarm --json` and `--report`. */
export type ImageOutcome = ReadyImage | BrokenImage | PendingImage;

export interface ReadyImage {
  unit: string;
  src: string;
  state: 'ready';
  sourceBytes: number;
  variants: readonly MadeVariant[];
  /** Whether all of it was there before. */
  skipped: boolean;
}

export interface BrokenImage {
  unit: string;
  src: string;
  state: 'broken';
  code: ErrorCode;
  /** Public. */
  detail: string;
  /** Whether it may work later without anyone changing anything. */
  retryable: boolean;
}

/** Neither made nor broken, through no fault of its own: the store failed, or the unit was purged meanwhile. */
export interface PendingImage {
  unit: string;
  src: string;
  state: 'pending';
  detail: string;
}

/** A line of input that is no unit. */
export interface RefusedLine {
  /** Counted from 1, blank lines included. */
  line: number;
  state: 'refused';
  detail: string;
}

/** What is told of a variant that is there: none for what is not. */
export function summarizeVariant(
  choice: VariantSpec,
  info: StoredInfo | undefined,
  maxBytes: number | undefined,
): MadeVariant[] {
  if (!info) return [];
  const isOver = maxBytes !== undefined && info.bytes > maxBytes;
  return [{ ...choice, type: info.contentType, bytes: info.bytes, ...(isOver && { overBudget: true }) }];
}

/** The length of the original that these variants were made of, in bytes. */
export function sourceBytesOf(variants: readonly Pick<StoredInfo, 'metadata'>[]): number {
  return Number(variants[0]?.metadata['source-bytes'] ?? 0);
}

/** Writes the one line of an image that was prewarmed. */
export function logImage(log: Logger, outcome: ImageOutcome): void {
  const { unit, src, state } = outcome;
  const why = state === 'broken' ? { code: outcome.code, reason: outcome.detail } : {};
  log.info({ unit, sourceHost: sourceHost(src), state, ...why }, 'prewarm');
}
