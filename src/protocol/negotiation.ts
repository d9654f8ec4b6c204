import type { VariantSpec } from './keys.ts';
import type { Format, ImageRequest, Tier } from './request.ts';

/** The only widths that are ever made. */
export interface Ladder {
  /** In pixels, ascending, at least one. */
  widths: readonly number[];
  /** Width of a request that names none, in pixels. It goes up to the next rung like any other. */
  defaultWidth: number;
}

/** The request headers that may choose a variant. */
export interface ClientHints {
  accept: string | undefined;
  saveData: string | undefined;
  /** Not a hint: only for the reason why a signature is refused. */
  host?: string | undefined;
}

/** The variant that a request gets. */
export interface NegotiatedSpec extends VariantSpec {
  /** The request headers that were consulted, for `Vary`. */
  vary: readonly string[];
}

/** Chooses the variant for a request by its URL, and by its headers for what the URL does not name. */
export function negotiate(request: ImageRequest, hints: ClientHints, ladder: Ladder): NegotiatedSpec {
  return {
    width: rungFor(request.width === undefined ? ladder.defaultWidth : request.width, ladder.widths),
    tier: request.tier === undefined ? tierFor(hints.saveData) : request.tier,
    format: request.format === undefined ? formatFor(hints.accept) : request.format,
    vary: varyOf(request),
  };
}

/** Returns the request headers that choose what the URL does not name. */
export function varyOf(request: ImageRequest): readonly string[] {
  const vary: string[] = [];
  if (request.format === undefined) vary.push('Accept');
  if (request.tier === undefined) vary.push('Save-Data');
  return vary;
}

/**
 * Returns the lowest rung that is at least as wide, or the top one.
 *
 * @param width - in pixels
 * @param widths - the rungs, ascending, at least one
 */
export function rungFor(width: number, widths: readonly number[]): number {
  for (let i = 0; i < widths.length; i++) {
    const rung = Number(widths[i]);
    if (rung >= width) return rung;
  }
  return Number(widths[widths.length - 1]);
}

/** Returns the rungs for several widths, ascending, without repeats. */
export function rungsFor(widths: readonly number[], ladder: readonly number[]): readonly number[] {
  const rungs = widths.map((width) => rungFor(width, ladder));
  return ladder.filter((rung) => rungs.indexOf(rung) >= 0);
}

function tierFor(saveData: string | undefined): Tier {
  return saveData !== undefined && saveData.trim().toLowerCase() === 'on' ? 'saver' : 'balanced';
}

/** Ignores wildcards, because browsers that cannot display AVIF send `image/*` too. */
function formatFor(accept: string | undefined): Format {
  if (accept === undefined) return 'jpeg';
  const ranges = accept.toLowerCase().split(',');
  if (accepts(ranges, 'image/avif')) return 'avif';
  return accepts(ranges, 'image/webp') ? 'webp' : 'jpeg';
}

function accepts(ranges: readonly string[], type: string): boolean {
  for (let i = 0; i < ranges.length; i++) {
    const parts = String(ranges[i]).split(';');
    if (String(parts[0]).trim() === type && hasWeight(parts)) return true;
  }
  return false;
}

/** Whether the weight of a media range is above 0 (RFC 9110, section 12.4.2). A weight that is not a number counts as 0. */
function hasWeight(parts: readonly string[]): boolean {
  for (let i = 1; i < parts.length; i++) {
    const parameter = String(parts[i]).trim();
    if (parameter.slice(0, 2) === 'q=') return Number(parameter.slice(2)) > 0;
  }
  return true;
}
