import { decodePercent, NotTranslatable, numberOf, type OldImage, splitUrl } from './old-image.ts';

/** The parts of a path in the order in which thumbor demands them; each may be absent, but for the source. */
const PARTS = new RegExp(
  [
    '^(?:(?<debug>debug)/)?',
    '(?:(?<trim>trim(?::[^/]*)?)/)?',
    '(?:(?<crop>\\d+x\\d+:\\d+x\\d+)/)?',
    '(?:(?<fit>(?:adaptive-)?(?:full-)?fit-in)/)?',
    '(?:(?<size>-?(?:\\d+|orig)?x-?(?:\\d+|orig)?)/)?',
    '(?:(?<halign>left|right|center)/)?',
    '(?:(?<valign>top|bottom|middle)/)?',
    '(?:(?<smart>smart)/)?',
    '(?:filters:(?<filters>.+?\\))/)?',
    '(?<src>.+)$',
  ].join(''),
);
const FILTER = /([a-z_]+)\(((?:[^()]|\([^()]*\))*)\)/g;
/** What edgepress does always. */
const WITHOUT_LOSS = new Set(['no_upscale', 'strip_exif', 'strip_icc', 'autojpg', 'max_age']);

/** Reads a URL of thumbor: `/{signature or unsafe}/{options}/{source}`. */
export function readThumborUrl(url: string): OldImage {
  const path = pathAndQuery(url);
  const [, signature = '', rest = ''] = /^\/([^/]*)\/(.*)$/s.exec(path) ?? [];
  if (signature === '') throw new NotTranslatable('it has no signature and no `unsafe` before its options');
  const image = readThumborPath(rest);
  // As thumbor does it.
  return /^https?:\/+/i.test(image.src) ? image : { ...image, src: `http://${image.src}` };
}

/** Reads the options and the source, without what is before them. The source may be relative. */
export function readThumborPath(path: string): OldImage {
  const { groups = {} } = PARTS.exec(path) ?? {};
  const { debug, trim, crop, fit, size = '', halign, valign, smart, filters = '', src } = groups;
  if (src === undefined) throw new NotTranslatable('it has no source');
  if (src.startsWith('meta/'))
    throw new NotTranslatable('it asks for what is known of an image, not for an image');
  const [width = '', height = ''] = size.split('x');
  const sides = [width, height].map((side) => numberOf(side.replace('-', '')));
  const isCut = !fit && sides.every((side) => side > 0);
  const isFlipped = size.includes('-');
  const image: OldImage & { unsupported: string[] } = {
    ...{ src: decodePercent(src), width: sides[0], height: sides[1] },
    unsupported: [
      debug,
      trim,
      crop,
      fit === 'fit-in' ? undefined : fit,
      isCut || isFlipped ? size : undefined,
    ].filter((part) => part !== undefined),
  };
  if (isCut) image.unsupported.push(...[halign, valign, smart].filter((part) => part !== undefined));
  readFilters(image, filters);
  return image;
}

function readFilters(image: OldImage & { unsupported: string[] }, filters: string): void {
  for (const [text, name = '', value] of filters.matchAll(FILTER)) {
    if (name === 'quality') image.quality = numberOf(value);
    else if (name === 'format') image.format = value;
    else if (!WITHOUT_LOSS.has(name)) image.unsupported.push(text);
  }
}

/** thumbor takes a query as part of the source. */
function pathAndQuery(url: string): string {
  const { path } = splitUrl(url);
  const query = url.indexOf('?');
  return query < 0 ? path : `${path}${url.slice(query).split('#', 1)[0]}`;
}
