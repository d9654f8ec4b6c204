/** For how long a CDN keeps what is soon to be had better: made just now and not from the store, or made quickly. */
const SOON_SECONDS = 60;

/**
 * A `Cache-Control` under which a CDN comes back after a minute, and devices keep what they have all the same. It never lengthens a
 * life, and leaves what no CDN may keep as it is.
 */
export function withShortSharedMaxAge(cacheControl: string): string {
  if (/\b(no-store|private)\b/i.test(cacheControl)) return cacheControl;
  const [said, seconds] = /\bs-maxage=(\d+)/i.exec(cacheControl) ?? [];
  const [, ownSeconds] = /\bmax-age=(\d+)/i.exec(cacheControl) ?? [];
  const shared = `s-maxage=${Math.min(SOON_SECONDS, Number(seconds ?? ownSeconds ?? SOON_SECONDS))}`;
  return said === undefined ? `${cacheControl}, ${shared}` : cacheControl.replace(said, shared);
}
