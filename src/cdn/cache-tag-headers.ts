import type { CdnLocation } from './cdn-location.ts';

/** A response header in which a CDN reads cache tags. */
export interface CacheTagHeader {
  name: string;
  /** Between two tags. */
  separator: ',' | ' ';
}

/** CloudFront reads the header that each response has anyway. */
const HEADERS: Readonly<Record<CdnLocation['kind'], CacheTagHeader | undefined>> = {
  cloudfront: undefined,
  cloudflare: { name: 'Cache-Tag', separator: ',' },
  fastly: { name: 'Surrogate-Key', separator: ' ' },
  bunny: { name: 'CDN-Tag', separator: ',' },
  // Of Varnish's module for cache tags, vmod_xkey.
  http: { name: 'xkey', separator: ' ' },
};

/** Returns the response headers that these CDNs read cache tags from, each once. */
export function cacheTagHeaders(cdns: readonly CdnLocation[]): CacheTagHeader[] {
  return [...new Set(cdns.map(({ kind }) => HEADERS[kind]))].filter((header) => header !== undefined);
}

/** @param tags - separated by commas, as they are stored */
export function formatCacheTags(tags: string, { separator }: CacheTagHeader): string {
  return separator === ',' ? tags : tags.replaceAll(',', separator);
}
