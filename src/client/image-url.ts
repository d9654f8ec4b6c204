import type { Fault } from '../protocol/fault.ts';
import { type Format, isUnit, parseRequest, type Tier, UNIT_RULE } from '../protocol/request.ts';
import type { SigningKey } from '../protocol/signature.ts';
import { readKey, sign } from './signing-key.ts';

/** The parts of an image URL. */
export interface ImageUrlParts {
  /**
   * Where the service is reached, such as `https://images.example.com`. It may have a path that a proxy removes, and may end in a slash.
   * `''`: the URL is relative to the host of the page.
   */
  baseUrl: string;
  /** The data unit that the image belongs to: 1 to 128 of `A-Z a-z 0-9 . _ ~ -`. */
  unit: string;
  /** The absolute URL of the original, `http:`, `https:` or `s3:`, as it is: it is percent-encoded here. At most 4,096 characters. */
  src: string;
  /** In pixels, 1 or more; the service takes the next rung of its ladder. Absent: `DEFAULT_WIDTH` of the service. */
  width?: number | undefined;
  /** Absent: `saver` where the request says `Save-Data: on`, else `balanced`. */
  tier?: Tier | undefined;
  /** What the client can display. Absent or `auto`: the best that the request's `Accept` names, which is JPEG for most clients but browsers. */
  format?: Format | 'auto' | undefined;
  /** Unix seconds; later requests are refused. */
  expiresAt?: number | undefined;
}

/** Why there is no image URL. */
export class InvalidImageUrl extends TypeError {
  override name = 'InvalidImageUrl';
  /** What is wrong; `undefined` if it is the length of the whole. */
  readonly part: keyof ImageUrlParts | undefined;

  constructor(part: keyof ImageUrlParts | undefined, message: string) {
    super(message);
    this.part = part;
  }
}

/** The parts by the names that they have in the URL, in the order in which they are written. */
const PART_NAMES = { src: 'src', w: 'width', q: 'tier', f: 'format', exp: 'expiresAt' } as const;
const BASE_URL = /^$|^(?:https?:)?\/\/[^\s/?#@\\]+(?:\/[^\s?#\\]*)?$|^\/(?:[^\s/?#\\][^\s?#\\]*)?$/i;

/**
 * Builds an image URL. It runs in Node, browsers, workers and React Native. Give browsers and apps signed URLs, not keys.
 *
 * @param key - signs the URL: one of the service's keys, in two parts or as `id:hex`. Absent: the URL is not signed
 * @returns the URL. Send it unchanged: the signature is over its bytes. URL parsers do not change it either
 * @throws InvalidImageUrl that names the part that the service would refuse; TypeError that says what is wrong with the key
 */
export function imageUrl(parts: ImageUrlParts, key?: SigningKey | string): string {
  const { baseUrl, unit } = parts;
  if (typeof baseUrl !== 'string' || !BASE_URL.test(baseUrl))
    throw new InvalidImageUrl(
      'baseUrl',
      "`baseUrl` must be where the service is reached, such as https://images.example.com, or '' for a relative URL",
    );
  // Before it is in the URL: one with a `?` could bring a source of its own.
  if (typeof unit !== 'string' || !isUnit(unit))
    throw new InvalidImageUrl('unit', `\`unit\` must be ${UNIT_RULE}`);
  const unsigned = `/u/${unit}?${queryOf(parts)}`;
  const target = key === undefined ? unsigned : `${unsigned}&sig=${sign(unsigned, readKey(key))}`;
  const parsed = parseRequest(target);
  if (!parsed.ok) throw invalidPart(parsed.fault, parts);
  return baseUrl.replace(/\/+$/, '') + target;
}

function queryOf(parts: ImageUrlParts): string {
  return Object.entries(PART_NAMES)
    .filter(([, part]) => parts[part] !== undefined)
    .map(([name, part]) => `${name}=${encodeValue(part, parts[part])}`)
    .join('&');
}

function encodeValue(part: keyof ImageUrlParts, value: string | number | undefined): string {
  try {
    return percentEncode(String(value));
  } catch {
    throw new InvalidImageUrl(
      part,
      `\`${part}\` is not valid Unicode: it has half of a surrogate pair, which no URL can have`,
    );
  }
}

/**
 * Percent-encodes all but `A-Z a-z 0-9 - . _ ~`, as the encoders of most languages do (RFC 3986), so that their signatures are the same.
 * `encodeURIComponent` leaves `!'()*`, of which URL parsers encode the apostrophe.
 *
 * @throws URIError for half of a surrogate pair
 */
export function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Says what the service would say, with the names that the parts have here. */
function invalidPart({ detail, parameter }: Fault, parts: ImageUrlParts): InvalidImageUrl {
  if (parameter === 'src') return new InvalidImageUrl('src', sourceError(detail, parts.src));
  const part = Object.entries(PART_NAMES).find(([name]) => name === parameter)?.[1];
  if (part === undefined) return new InvalidImageUrl(undefined, detail);
  const shown = String(parts[part]).slice(0, 40);
  return new InvalidImageUrl(part, `${detail.replace(`\`${parameter}\``, `\`${part}\``)}; it is ${shown}`);
}

/** Sources are not repeated: they may have credentials. */
function sourceError(detail: string, src: string): string {
  if (/^(?:https?|s3)%3a/i.test(src)) return '`src` must not be percent-encoded: that is done here';
  return detail.replace(/, percent-encoded|percent-encoded (?=URL)/, '');
}
