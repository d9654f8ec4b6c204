import { imageUrl } from '../client/image-url.ts';
import { picture } from '../client/picture.ts';
import type { Format, Tier } from '../protocol/request.ts';
import type { SigningKey } from '../protocol/signature.ts';

/** Code that shows an image. */
export interface Snippet {
  /** A word for ids. */
  id: string;
  title: string;
  /** What to know about it. */
  note: string;
  code: string;
}

/** The image that the code shows. */
export interface SnippetImage {
  /** Where callers reach the service. */
  baseUrl: string;
  unit: string;
  src: string;
  /** A rung of the ladder, in pixels. */
  width: number;
  /** The candidates of a responsive image, in pixels. */
  widths: readonly number[];
  tier: Tier;
  /** The size of the original, in pixels. */
  source: { width: number; height: number };
}

/**
 * Returns code for the usual clients. All of it names `f`, or is run by a browser whose `Accept` names formats: most HTTP clients name none,
 * and get JPEG.
 *
 * @param key - signs the URLs
 */
export function snippetsFor(image: SnippetImage, key: SigningKey | undefined): Snippet[] {
  const { widths, source, width, ...parts } = image;
  const url = (format: Format) => imageUrl({ ...parts, width, format }, key);
  const { sources, img } = picture(
    { ...parts, widths, alt: ALT, sourceWidth: source.width, sourceHeight: source.height },
    key,
  );
  return [
    {
      ...{ id: 'html', title: 'HTML' },
      note: 'The browser takes the first format that it can show, and the narrowest width that is enough.',
      code: pictureTag({ sources, img }, 'srcset', escapeHtml),
    },
    {
      ...{ id: 'react', title: 'React' },
      note: 'The same for JSX.',
      code: pictureTag({ sources, img }, 'srcSet', (text) => text),
    },
    key ? nextOnServer(image) : nextLoader(image),
    ...appSnippets(url),
    ...programSnippets(url),
  ];
}

const ALT = 'What the image shows';

type PictureParts = Pick<ReturnType<typeof picture>, 'sources' | 'img'>;

function pictureTag(
  { sources, img }: PictureParts,
  srcset: string,
  encode: (text: string) => string,
): string {
  const lines = (list: string) => encode(list.replaceAll(', ', ',\n            '));
  return [
    '<picture>',
    ...sources.map(
      ({ type, srcset: list, sizes }) =>
        `  <source type="${type}" sizes="${sizes}"\n    ${srcset}="${lines(list)}" />`,
    ),
    `  <img width="${img.width}" height="${img.height}" alt="${img.alt}" sizes="${img.sizes}"`,
    `    src="${encode(img.src)}"`,
    `    ${srcset}="${lines(img.srcset)}" />`,
    '</picture>',
  ].join('\n');
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;');
}

/** Nothing is published in a registry. */
const GET_CLIENT = 'edgepress-client is made in a checkout: npm run build:client && npm pack ./dist/client.';

/** The quality that the loader turns into a tier. */
const NEXT_QUALITY: Record<Tier, number> = { saver: 50, balanced: 75, high: 90 };

function nextLoader({ baseUrl, unit, src, width, tier, source }: SnippetImage): Snippet {
  const height = Math.round((source.height * width) / source.width);
  return {
    ...{ id: 'next', title: 'Next.js' },
    note: `The loader goes into the file that images.loaderFile of next.config.js names. Browsers say in Accept which formats they show. ${GET_CLIENT}`,
    code: `// image-loader.js
import { nextImageLoader } from 'edgepress-client';

export default nextImageLoader({ baseUrl: '${baseUrl}', unit: '${unit}' });

// in a component
import Image from 'next/image';

<Image src={${JSON.stringify(src)}} width={${width}} height={${height}} quality={${NEXT_QUALITY[tier]}} alt="${ALT}" />`,
  };
}

function nextOnServer({ baseUrl, unit, src, widths, tier }: SnippetImage): Snippet {
  return {
    ...{ id: 'next', title: 'Next.js' },
    note: `A server component: it signs, and the key stays on the server. ${GET_CLIENT}`,
    code: `import { picture } from 'edgepress-client';

export function Photo({ unit = '${unit}', src = ${JSON.stringify(src)} }) {
  const image = { baseUrl: '${baseUrl}', unit, src, widths: [${widths.join(', ')}], tier: '${tier}' };
  const { sources, img } = picture(image, process.env.SIGNING_KEYS);
  return (
    <picture>
      {sources.map((source) => (
        <source key={source.type} type={source.type} srcSet={source.srcset} sizes={source.sizes} />
      ))}
      <img src={img.src} srcSet={img.srcset} sizes={img.sizes} alt="${ALT}" />
    </picture>
  );
}`,
  };
}

const ANDROID = 'OkHttp names no format in Accept, so the URL does. Every Android shows WebP.';

function appSnippets(url: (format: Format) => string): Snippet[] {
  const webp = url('webp');
  return [
    {
      ...{ id: 'coil', title: 'Kotlin, Coil', note: ANDROID },
      code: `AsyncImage(
    model = "${webp}",
    contentDescription = "${ALT}",
)`,
    },
    {
      ...{ id: 'glide', title: 'Kotlin, Glide', note: ANDROID },
      code: `Glide.with(view)
    .load("${webp}")
    .into(view)`,
    },
    {
      ...{ id: 'swift', title: 'Swift' },
      note: 'URLSession names no format in Accept, so the URL does. iOS 16.1 and later shows AVIF; for older ones ask for jpeg.',
      code: `AsyncImage(url: URL(string: "${url('avif')}")) { image in
    image.resizable().scaledToFit()
} placeholder: {
    ProgressView()
}
.accessibilityLabel("${ALT}")`,
    },
    {
      ...{ id: 'flutter', title: 'Flutter' },
      note: 'Dart names no format in Accept, so the URL does. Flutter decodes WebP on every platform.',
      code: `Image.network(
  '${webp}',
  semanticLabel: '${ALT}',
)`,
    },
  ];
}

function programSnippets(url: (format: Format) => string): Snippet[] {
  return [
    {
      ...{ id: 'python', title: 'Python' },
      note: 'Neither urllib nor requests names a format in Accept, so the URL does.',
      code: `from urllib.request import urlopen

with urlopen("${url('webp')}") as response:
    image = response.read()
    print(response.headers["Content-Type"], len(image))`,
    },
    {
      ...{ id: 'curl', title: 'curl' },
      note: 'Prints the headers: Cache-Status says whether the image was stored, Server-Timing what it took.',
      code: `curl -sD - -o photo.avif '${url('avif')}'`,
    },
  ];
}
