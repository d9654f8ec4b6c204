import { FORMATS, type Format, type Tier } from '../protocol/request.ts';
import { InvalidImageUrl, imageUrl } from './image-url.ts';
import { tierForQuality } from './tier-for-quality.ts';

/**
 * How the image component of a framework reaches the service. There is no key among them: components run in browsers too, which must not
 * have one. Where URLs are signed, build `srcset` or `picture` on the server.
 */
export interface ComponentOptions {
  /** As in `imageUrl`. */
  baseUrl: string;
  /** The data unit of all images, or a function that gives that of a source. */
  unit: string | ((src: string) => string);
  /**
   * The `WIDTHS` of the service, or those of them that prewarm makes. Components ask for many widths; here they go up to one of these, so
   * that browsers and caches have each image under as few URLs as there are. Default: the default of `WIDTHS`.
   */
  widths?: readonly number[] | undefined;
  /** The site that relative sources such as `/hero.jpg` belong to. Without it they are errors. */
  siteUrl?: string | undefined;
}

const DEFAULT_WIDTHS: readonly number[] = [160, 320, 480, 720, 1080, 1600, 2048];

/**
 * Returns a loader for `next/image`: the default export of the file that `images.loaderFile` of `next.config.js` names.
 *
 * @returns a function that throws what `imageUrl` throws
 */
export function nextImageLoader(
  options: ComponentOptions,
): (image: { src: string; width: number; quality?: number | undefined }) => string {
  return (image) => componentUrl(options, image);
}

/** What image components ask for. What the service does not do, such as `fit`, is left out. */
export interface ComponentModifiers {
  width?: number | string | undefined;
  quality?: number | string | undefined;
  format?: string | undefined;
}

/**
 * The provider for `@nuxt/image`: hand it to `defineProvider` in the file that `image.providers.edgepress.provider` of `nuxt.config.ts`
 * names. Its `options` there are those of `ComponentOptions`.
 */
export const nuxtImageProvider = {
  getImage(
    src: string,
    {
      modifiers = {},
      baseURL,
      ...options
    }: Omit<ComponentOptions, 'baseUrl'> & { baseURL?: string; modifiers?: ComponentModifiers },
  ): { url: string } {
    return { url: componentUrl({ ...options, baseUrl: baseURL ?? '' }, { src, ...modifiers }) };
  },
};

/**
 * Returns a transformer for the `Image` of `@unpic/react/base` and its like for other frameworks.
 *
 * @returns a function that throws what `imageUrl` throws
 */
export function unpicTransformer(
  options: ComponentOptions,
): (src: string | { href: string }, operations: ComponentModifiers) => string {
  return (src, operations) =>
    componentUrl(options, { src: typeof src === 'string' ? src : src.href, ...operations });
}

function componentUrl(
  { baseUrl, unit, widths = DEFAULT_WIDTHS, siteUrl }: ComponentOptions,
  { src: given, width, quality, format }: ComponentModifiers & { src: string },
): string {
  const src = absoluteSource(given, siteUrl);
  return imageUrl({
    baseUrl,
    unit: typeof unit === 'function' ? unit(src) : unit,
    src,
    width: width === undefined ? undefined : rungFor(Number(width), widths),
    tier: tierFor(quality),
    format: formatFor(format),
  });
}

function absoluteSource(src: string, siteUrl: string | undefined): string {
  if (!/^\/(?!\/)/.test(src)) return src;
  if (siteUrl !== undefined) return siteUrl.replace(/\/+$/, '') + src;
  throw new InvalidImageUrl('src', '`src` is relative: give `siteUrl`, the site that it belongs to');
}

/** Returns the first width that is enough, else the widest. What is no number stays as it is, for `imageUrl` to refuse. */
function rungFor(width: number, widths: readonly number[]): number | undefined {
  if (!(width > 0)) return width;
  const ascending = [...widths].sort((a, b) => a - b);
  return ascending.find((rung) => rung >= width) ?? ascending.at(-1);
}

/**
 * Returns the tier that is named, or the tier for a quality of 1 to 100, which components have on the scale of JPEG. What is neither stays as
 * it is, for `imageUrl` to refuse.
 */
function tierFor(quality: number | string | undefined): Tier | undefined {
  if (quality === undefined || quality === '') return undefined;
  return Number(quality) > 0 ? tierForQuality(Number(quality)) : (quality as Tier);
}

/** Formats that the service does not make are left to negotiation. */
function formatFor(format: string | undefined): Format | undefined {
  return FORMATS.find((known) => known === (format === 'jpg' ? 'jpeg' : format));
}
