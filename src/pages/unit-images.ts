import { IMAGE_PATH_PREFIX } from '../protocol/request.ts';
import type { ImageStatus, ReadyStatus, StoredVariant } from '../unit/status.ts';

// What pages show of the images of a unit.

/** Returns the name of an image: the one that its unit gives it, else the last part of its URL. */
export function nameOf({ name, src }: Pick<ImageStatus, 'name' | 'src'>, position: number): string {
  const [path = ''] = src.split(/[?#]/, 1);
  return name || shorten(path.split('/').at(-1) ?? '', 80) || `image ${position}`;
}

/** Cuts off what is longer than so many characters. */
export function shorten(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

/** Returns the variant with the fewest bytes, for a thumbnail. */
export function smallestOf({ variants }: ReadyStatus): StoredVariant | undefined {
  return variants.reduce<StoredVariant | undefined>(
    (smallest, each) => (smallest === undefined || each.bytes < smallest.bytes ? each : smallest),
    undefined,
  );
}

/** Returns the variant to look at closely: the widest one, and of these the one with the most bytes. */
export function largestOf({ variants }: ReadyStatus): StoredVariant | undefined {
  return variants.reduce<StoredVariant | undefined>((largest, each) => {
    if (!largest || each.width > largest.width) return each;
    return each.width === largest.width && each.bytes > largest.bytes ? each : largest;
  }, undefined);
}

/** Returns the most bytes that a device may load of an image. */
export function mostBytes({ variants }: ReadyStatus): number {
  return Math.max(0, ...variants.map(({ bytes }) => bytes));
}

/** Returns the most bytes that a device may load of all images of a unit. */
export function mostBytesOf(images: readonly ImageStatus[]): number {
  return images.reduce((sum, image) => sum + (image.state === 'ready' ? mostBytes(image) : 0), 0);
}

/** Returns the URL of a variant at this server, whatever `PUBLIC_URL` says: pages show images of no other host. */
export function localUrl(url: string): string {
  return url.slice(Math.max(0, url.lastIndexOf(IMAGE_PATH_PREFIX)));
}
