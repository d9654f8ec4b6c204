import type { Logger } from 'pino';
import type { ErrorCode } from '../protocol/error.ts';
import type { VariantSpec } from '../protocol/keys.ts';
import { sourceHost } from '../protocol/source-syntax.ts';
import type { StoredInfo } from '../store/store.ts';
import type { EmbedMetrics } from '../telemetry/emf.ts';
import { sourceBytes } from '../variant/variant-object.ts';

/** What is reported about a variant in the store. The image may be narrower than its `width`, like its source, or wider, if it is the source. */
export interface VariantSummary extends VariantSpec {
  /** The content type, such as `image/webp` for an animation in `avif`. */
  type: string;
  bytes: number;
  /** Set when it has more bytes than its unit allows, although its quality is that of `saver`. */
  overBudget?: true;
}

/** The result of prewarming one image of a unit: a line of `prewarm --json` and `--report`. */
export type ImageOutcome = ReadyImage | BrokenImage | PendingImage;

/** All variants are in the store. */
export interface ReadyImage {
  unit: string;
  src: string;
  /** The name that the unit gives it. */
  name?: string;
  state: 'ready';
  sourceBytes: number;
  variants: readonly VariantSummary[];
  /** Whether all variants were in the store before. */
  skipped: boolean;
}

/** The variants cannot be made, because of the source or its URL. */
export interface BrokenImage {
  unit: string;
  src: string;
  name?: string;
  state: 'broken';
  code: ErrorCode;
  /** Public. */
  detail: string;
  /** Whether it may work later without a change by anyone. */
  retryable: boolean;
}

/** Neither ready nor broken, and not because of the source: the store failed, or the unit was purged meanwhile. */
export interface PendingImage {
  unit: string;
  src: string;
  name?: string;
  state: 'pending';
  detail: string;
}

/** A line of input, or a value or row that begins on it, that is not a unit. */
export interface RefusedLine {
  /** Counted from 1, blank lines included. */
  line: number;
  /** In a JSON array: which entry it is, counted from 1. */
  item?: number;
  /** The id of the unit, as far as it can be told. */
  unit?: string;
  state: 'refused';
  detail: string;
}

/**
 * Returns what is reported about a variant.
 *
 * @param maxBytes - the budget of its unit
 */
export function summarizeVariant(
  spec: VariantSpec,
  info: Pick<StoredInfo, 'contentType' | 'bytes'>,
  maxBytes: number | undefined,
): VariantSummary {
  const isOver = maxBytes !== undefined && info.bytes > maxBytes;
  return { ...spec, type: info.contentType, bytes: info.bytes, ...(isOver && { overBudget: true }) };
}

/** Returns the length of the original of these variants, in bytes. */
export function sourceBytesOf(variants: readonly Pick<StoredInfo, 'metadata'>[]): number {
  const [first] = variants;
  return first ? sourceBytes(first) : 0;
}

/**
 * Logs the outcome of an image: one line for each.
 *
 * @param embedMetrics - adds a metric to the line
 */
export function logImage(log: Logger, outcome: ImageOutcome, embedMetrics?: EmbedMetrics): void {
  const { unit, src, state } = outcome;
  const failure = state === 'broken' ? { code: outcome.code, reason: outcome.detail } : {};
  const metrics = embedMetrics && { images: 1, ...embedMetrics(failure, state) };
  log.info({ unit, sourceHost: sourceHost(src), state, ...failure, ...metrics }, 'prewarm');
}
