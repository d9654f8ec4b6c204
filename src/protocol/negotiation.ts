import type { Format, ImageRequest, Tier } from './request.ts';

/** The only widths that are ever made. */
export interface Ladder {
  /** In pixels, ascending, at least one. */
  widths: readonly number[];
  /** The width of a request that names none; it goes up the ladder like any other. */
  defaultWidth: number;
}

/** The request headers that may choose a variant. */
export interface ClientHints {
  accept: string | undefined;
  saveData: string | undefined;
}

export interface Choice {
  width: number;
  tier: Tier;
  format: Format;
  /** The request headers that were consulted, for `Vary`. */
  vary: readonly string[];
}

/** Chooses the variant of a request: what its URL names, else what its headers say. */
export function negotiate(request: ImageRequest, hints: ClientHints, ladder: Ladder): Choice {
  return {
    width: rungFor(request.width === undefined ? ladder.defaultWidth : request.width, ladder.widths),
    tier: request.tier === undefined ? tierFor(hints.saveData) : request.tier,
    format: request.format === undefined ? formatFor(hints.accept) : request.format,
    vary: varyOf(request),
  };
}

/** The request headers that choose what the URL does not name. */
export function varyOf(request: ImageRequest): readonly string[] {
  const vary: string[] = [];
  if (request.format === undefined) vary.push('Accept');
  if (request.tier === undefined) vary.push('Save-Data');
  return vary;
}

/** The lowest rung that is at least as wide, or the top one. */
export function rungFor(width: number, widths: readonly number[]): number {
  for (let i = 0; i < widths.length; i++) {
    const rung = Number(widths[i]);
    if (rung >= width) return rung;
  }
  return Number(widths[widths.length - 1]);
}

/** The rungs for some widths, each once, ascending. */
export function rungsFor(widths: readonly number[], ladder: readonly number[]): readonly number[] {
  const rungs = widths.map((width) => rungFor(width, ladder));
  return ladder.filter((rung) => rungs.indexOf(rung) >= 0);
}

function tierFor(saveData: string | undefined): Tier {
  return saveData !== undefined && saveData.trim().toLowerCase() === 'on' ? 'saver' : 'balanced';
}

/** Wildcards name nothing: browsers that cannot show AVIF send `image/*` too. */
function formatFor(accept: string | undefined): Format {
  if (accept === undefined) return 'jpeg';
  const ranges = accept.toLowerCase().split(',');
  if (names(ranges, 'image/avif')) return 'avif';
  return names(ranges, 'image/webp') ? 'webp' : 'jpeg';
}

function names(ranges: readonly string[], type: string): boolean {
  for (let i = 0; i < ranges.length; i++) {
    const parts = String(ranges[i]).split(';');
    if (String(parts[0]).trim() === type && isWanted(parts)) return true;
  }
  return false;
}

/** Whether a media range's weight is above 0 (RFC 9110, 12.4.2). A weight that is no number wants nothing. */
function isWanted(parts: readonly string[]): boolean {
  for (let i = 1; i < parts.length; i++) {
    const parameter = String(parts[i]).trim();
    if (parameter.slice(0, 2) === 'q=') return Number(parameter.slice(2)) > 0;
  }
  return true;
}
