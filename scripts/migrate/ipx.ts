import { decodePercent, NotTranslatable, numberOf, type OldImage, splitUrl } from './old-image.ts';

const LONG_NAMES: Record<string, string> = {
  w: 'width',
  h: 'height',
  s: 'resize',
  q: 'quality',
  f: 'format',
};

/** Reads a URL of ipx and Nuxt Image: `/_ipx/{w_300,f_webp}/{source}`. */
export function readIpxUrl(url: string): OldImage {
  const { path } = splitUrl(url);
  const [, modifiers = '', src = ''] = /^(?:.*?\/_ipx)?\/([^/]+)\/(.+)$/s.exec(path) ?? [];
  if (src === '') throw new NotTranslatable('it has no modifiers and source, such as `/w_300/photo.jpg`');
  const image: OldImage & { unsupported: string[] } = {
    src: decodePercent(src),
    unsupported: [],
  };
  for (const modifier of modifiers === '_' ? [] : modifiers.split(/[,&]/)) readModifier(image, modifier);
  return image;
}

function readModifier(image: OldImage & { unsupported: string[] }, modifier: string): void {
  const [, short = '', value = ''] = /^([^_=:]+)[_=:]?(.*)$/.exec(modifier) ?? [];
  const name = LONG_NAMES[short] ?? short;
  const [width, height] = value.split('x');
  if (name === 'width') image.width = numberOf(value);
  else if (name === 'height') image.height = numberOf(value);
  else if (name === 'quality') image.quality = numberOf(value);
  else if (name === 'format') image.format = value;
  else if (name === 'resize') {
    Object.assign(image, { width: numberOf(width), height: numberOf(height) });
    if (numberOf(width) > 0 && numberOf(height) > 0) image.unsupported.push(modifier);
  } else if (name !== 'animated' && name !== 'a' && modifier !== 'fit_inside')
    image.unsupported.push(modifier);
}
