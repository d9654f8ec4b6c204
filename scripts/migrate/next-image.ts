import { NotTranslatable, numberOf, type OldImage, splitUrl } from './old-image.ts';

/** Reads a URL of Next.js: `/_next/image?url={source}&w={pixels}&q={quality}`. Next.js chooses the format by `Accept`, as edgepress does. */
export function readNextImageUrl(url: string): OldImage {
  const { query } = splitUrl(url);
  const src = query.get('url');
  if (!src) throw new NotTranslatable('it has no `url`');
  const others = [...query].filter(([name]) => !['url', 'w', 'q', 'dpl'].includes(name));
  return {
    ...{ src, width: numberOf(query.get('w')), quality: numberOf(query.get('q')) },
    unsupported: others.map(([name, value]) => `${name}=${value}`),
  };
}
