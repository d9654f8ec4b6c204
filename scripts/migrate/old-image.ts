import { tierForQuality } from '../../src/client/tier-for-quality.ts';
import type { Format, Tier } from '../../src/protocol/request.ts';
import { sourceSyntaxError } from '../../src/protocol/source-syntax.ts';

/** What an image URL of another service asks for, in the words of that service. */
export interface OldImage {
  /** The source: an absolute URL, or what is relative to the origin. */
  src: string;
  /** In pixels, before they are multiplied by the pixel ratio; 0 is as good as absent. */
  width?: number | undefined;
  height?: number | undefined;
  pixelRatio?: number | undefined;
  /** From 1 to 100, as encoders have it; 0 is as good as absent. */
  quality?: number | undefined;
  /** Such as `webp` or `jpg`; `auto` for what the client accepts. */
  format?: string | undefined;
  /** Unix seconds; 0 is as good as absent. */
  expiresAt?: number | undefined;
  /** What edgepress does not do, as it stands in the URL. What edgepress does anyway, such as removing metadata, is left out. */
  unsupported: readonly string[];
}

/** The parts of an image URL of edgepress that ask for the same as far as possible. */
export interface Translation {
  src: string;
  width?: number;
  tier?: Tier;
  format?: Format;
  expiresAt?: number;
  /** What was asked for and is not carried over, a sentence each. */
  lost: readonly string[];
}

/** Says why a URL cannot be translated. */
export class NotTranslatable extends Error {}

/** Reads an image URL of another service. It throws NotTranslatable. */
export type ReadOldImage = (url: string) => OldImage;

/**
 * Says with the parts of an image URL of edgepress what an old URL asks for.
 *
 * @param origin - what relative sources are relative to, for example `https://www.example.com/` or `s3://bucket/`
 * @throws NotTranslatable when there is no such source
 */
export function translate(old: OldImage, origin?: string): Translation {
  const { width = 0, height = 0, pixelRatio = 1, quality = 0, expiresAt } = old;
  const format = formatOf(old.format);
  const lost = old.unsupported.map((text) => `\`${text}\` has no equivalent`);
  lost.push(...lostWithFormat(old.format, format));
  if (height > 0)
    lost.push(
      width > 0
        ? `the height of ${height}: an image is as high as its width makes it`
        : `the height of ${height}: give a width instead, or the image is as wide as DEFAULT_WIDTH`,
    );
  return {
    src: sourceOf(old.src, origin),
    ...(width > 0 && { width: Math.ceil(width * pixelRatio) }),
    ...(quality > 0 && { tier: tierForQuality(quality, format) }),
    ...(format && { format }),
    ...(expiresAt && { expiresAt }),
    lost,
  };
}

/** Returns `undefined` for what leaves the choice to `Accept`. In `jpeg`, PNG and GIF are sent where they are smaller, or needed. */
function formatOf(name = 'auto'): Format | undefined {
  const lower = name.toLowerCase();
  if (lower === 'avif' || lower === 'webp') return lower;
  return ['jpg', 'jpeg', 'pjpg', 'png', 'gif'].includes(lower) ? 'jpeg' : undefined;
}

const ANY_FORMAT = ['', 'auto', 'best'];

function lostWithFormat(name = 'auto', format: Format | undefined): string[] {
  const lower = name.toLowerCase();
  if (lower === 'png') return ['transparency, which `f=jpeg` lays on white: `f=webp` keeps it'];
  if (format || ANY_FORMAT.includes(lower)) return [];
  return [`the format ${name}, which is not made: \`Accept\` decides`];
}

function sourceOf(given: string, origin: string | undefined): string {
  // Servers and browsers make one slash of two.
  const src = given.replace(/^(https?|s3):\/(?!\/)/i, '$1://');
  if (src.startsWith('//'))
    throw new NotTranslatable(`the source \`${src}\` has no scheme: write https: before it`);
  const isAbsolute = /^[a-z][a-z0-9+.-]*:\/\//i.test(src);
  if (!isAbsolute && origin === undefined)
    throw new NotTranslatable(`the source \`${src}\` is relative: say to what with --origin`);
  const whole = isAbsolute ? src : `${origin?.replace(/\/+$/, '')}/${src.replace(/^\/+/, '')}`;
  const error = sourceSyntaxError(whole)?.replace(', percent-encoded', '');
  if (error) throw new NotTranslatable(`the source \`${whole}\` ${error}`);
  return whole;
}

/** Returns the path of an absolute or relative URL, from its first slash, and its query, as they are written. */
export function splitUrl(url: string): { path: string; query: URLSearchParams } {
  const [, path = '', query = ''] = /^(?:https?:\/\/[^/?#]*)?([^?#]*)(?:\?([^#]*))?/i.exec(url) ?? [];
  return { path: path.startsWith('/') ? path : `/${path}`, query: new URLSearchParams(query) };
}

/** @throws NotTranslatable for text that is not percent-encoded as UTF-8 */
export function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new NotTranslatable(`\`${text}\` is not percent-encoded as UTF-8`);
  }
}

/** Decodes base64 or base64url of UTF-8, with or without padding; `undefined` if it is something else. */
export function decodeBase64Url(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/_-]+=*$/.test(text)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(text, 'base64url'));
  } catch {
    return undefined;
  }
}

/** Returns a number of 0 or more; 0 for text that is none. */
export function numberOf(text: string | null | undefined): number {
  const value = Number(text ?? 0);
  return value > 0 && Number.isFinite(value) ? value : 0;
}
