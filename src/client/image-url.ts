/** What an image URL can say. */
export interface ImageUrlParts {
  /** Where the service is reached, such as `https://images.example.com`; `''` for a URL that is only a path. */
  baseUrl: string;
  unit: string;
  /** The absolute URL of the original. */
  src: string;
  /** In pixels; goes up to the next rung of the ladder. */
  width?: number | undefined;
  tier?: 'saver' | 'balanced' | 'high' | undefined;
  format?: 'avif' | 'webp' | 'jpeg' | 'auto' | undefined;
  /** Unix seconds, after which the URL is refused. */
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
 * Builds an image URL, signed when a key is given. Needs nothing but Web Crypto, so that it runs in browsers, workers
 * and every server runtime; a browser should be handed signed URLs rather than keys.
 *
 * @returns the URL, to be sent exactly as it is: its signature is over these bytes
 * @throws TypeError when the unit is none: it stands in the path as it is, where a `?` would begin a query of its own
 */
export async function buildImageUrl(parts: ImageUrlParts, key?: UrlSigningKey): Promise<string> {
  const { baseUrl, unit, src, width, tier, format, expiresAt } = parts;
  if (!UNIT.test(unit))
    throw new TypeError('a unit must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and neither . nor ..');
  const said: [string, string | number | undefined][] = [
    ['w', width],
    ['q', tier],
    ['f', format],
    ['exp', expiresAt],
  ];
  const rest = said.filter(([, value]) => value !== undefined).map(([name, value]) => `&${name}=${value}`);
  const target = `/u/${unit}?src=${encodeURIComponent(src)}${rest.join('')}`;
  const signature = key ? `&sig=${key.id}.${await hmacSha256(key.hex, target)}` : '';
  return baseUrl + target + signature;
}

/** In base64url without padding. */
async function hmacSha256(keyHex: string, text: string): Promise<string> {
  const keyBytes = Uint8Array.from(keyHex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', keyBytes, algorithm, false, ['sign']);
  const mac = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(text));
  const base64 = btoa(String.fromCharCode(...new Uint8Array(mac)));
  return base64.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
