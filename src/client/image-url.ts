/** The parts of an image URL. */
export interface ImageUrlParts {
  /** Where the service is reached, for example `https://images.example.com`; `''` for a relative URL. */
  baseUrl: string;
  unit: string;
  /** The absolute URL of the source. */
  src: string;
  /** In pixels; the service takes the next rung of its ladder. */
  width?: number | undefined;
  tier?: 'saver' | 'balanced' | 'high' | undefined;
  format?: 'avif' | 'webp' | 'jpeg' | 'auto' | undefined;
  /** Unix seconds; later requests are refused. */
  expiresAt?: number | undefined;
}

/** One of the service's signing keys. */
export interface UrlSigningKey {
  id: string;
  /** At least 16 bytes, in hex. */
  hex: string;
}

const UNIT = /^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,128}$/;

/**
 * Builds an image URL, signed if there is a key. It needs only Web Crypto, so it runs in browsers, workers and every server runtime.
 * Give browsers signed URLs, not keys.
 *
 * @returns the URL. Send it unchanged: the signature is over its bytes. URL parsers do not change it either
 * @throws TypeError for an invalid unit, because the unit is put into the path as it is
 */
export async function buildImageUrl(parts: ImageUrlParts, key?: UrlSigningKey): Promise<string> {
  const { baseUrl, unit, src, width, tier, format, expiresAt } = parts;
  if (!UNIT.test(unit))
    throw new TypeError('the unit must be 1 to 128 characters of A-Z a-z 0-9 . _ ~ - (but not "." or "..")');
  const optional: [string, string | number | undefined][] = [
    ['w', width],
    ['q', tier],
    ['f', format],
    ['exp', expiresAt],
  ];
  const rest = optional
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `&${name}=${value}`);
  // URL parsers encode the apostrophe in a query, which encodeURIComponent leaves.
  const encodedSrc = encodeURIComponent(src).replaceAll("'", '%27');
  const target = `/u/${unit}?src=${encodedSrc}${rest.join('')}`;
  const signature = key ? `&sig=${key.id}.${await hmacSha256(key.hex, target)}` : '';
  return baseUrl + target + signature;
}

/** Returns the HMAC in base64url without padding. */
async function hmacSha256(keyHex: string, text: string): Promise<string> {
  const keyBytes = Uint8Array.from(keyHex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', keyBytes, algorithm, false, ['sign']);
  const mac = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(text));
  const base64 = btoa(String.fromCharCode(...new Uint8Array(mac)));
  return base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
