import sharp, { type Sharp } from 'sharp';
import type { RgbImage } from '../../../src/encode/metric.ts';
import { flattenPixels, openPixels, type Pixels, readPixels } from '../../../src/encode/pixels.ts';
import type { BenchSource } from '../harness/sources.ts';
import { drawChart, drawChat, drawForm, drawScan } from './drawn-pages.ts';

/** An original that was compressed hard, and the picture that it was made of. */
export interface SmallOriginal {
  name: string;
  kind: 'photo' | 'chat' | 'form' | 'sticker';
  body: Buffer;
  /** The picture before it was compressed, at the size of the original. */
  pristine: Pixels;
}

/** What a messenger does with a photograph: the length of its longer side in pixels, then an encoder. */
const MESSENGERS: readonly { name: string; side: number; encode: (image: Sharp) => Promise<Buffer> }[] = [
  { name: 'jpeg-1600-q25', side: 1600, encode: (image) => toJpeg(image, 25) },
  { name: 'jpeg-1600-q45', side: 1600, encode: (image) => toJpeg(image, 45) },
  { name: 'webp-1280-q40', side: 1280, encode: (image) => image.webp({ quality: 40 }).toBuffer() },
  { name: 'jpeg-1280-q30', side: 1280, encode: (image) => toJpeg(image, 30) },
  { name: 'jpeg-1280-q60', side: 1280, encode: (image) => toJpeg(image, 60) },
  {
    name: 'twice-960-q60-q35',
    side: 960,
    encode: async (image) => toJpeg(sharp(await toJpeg(image, 60)), 35),
  },
  { name: 'jpeg-960-q50', side: 960, encode: (image) => toJpeg(image, 50) },
  { name: 'webp-800-q25', side: 800, encode: (image) => image.webp({ quality: 25 }).toBuffer() },
  { name: 'jpeg-640-q35', side: 640, encode: (image) => toJpeg(image, 35) },
];

/** How many photographs of the folder are used, and how many messengers each goes through. */
const PHOTOS = 8;
const MESSENGERS_EACH = 4;

/** The JPEG of a phone: Huffman tables as they are in the standard, half colour resolution. */
function toJpeg(image: Sharp, quality: number): Promise<Buffer> {
  return image.jpeg({ quality, chromaSubsampling: '4:2:0', optimiseCoding: false }).toBuffer();
}

/** Makes the set: some 45 originals, always the same ones of the same folder. */
export async function makeOriginals(photos: readonly BenchSource[]): Promise<SmallOriginal[]> {
  const step = Math.max(1, photos.length / PHOTOS);
  const chosen = photos
    .filter((_, index) => Math.floor(index / step) !== Math.floor((index - 1) / step))
    .slice(0, PHOTOS);
  const sent = chosen.map((photo, index) => sendPhoto(photo, index));
  return [...(await Promise.all(sent)).flat(), ...(await makePages(chosen))];
}

async function sendPhoto({ name, bytes }: BenchSource, index: number): Promise<SmallOriginal[]> {
  const messengers = Array.from(
    { length: MESSENGERS_EACH },
    (_, i) => MESSENGERS[(index + 2 * i) % MESSENGERS.length] as (typeof MESSENGERS)[number],
  );
  return await Promise.all(
    messengers.map(async ({ name: messenger, side, encode }) => {
      const pristine = await flattenPixels(await readPixels(resized(bytes, side)));
      return {
        name: `${name} ${messenger}`,
        kind: 'photo' as const,
        body: await encode(openPixels(pristine)),
        pristine,
      };
    }),
  );
}

function resized(bytes: Buffer, side: number): Sharp {
  return sharp(bytes)
    .autoOrient()
    .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true });
}

type Encode = readonly [name: string, encode: (image: Sharp) => Promise<Buffer>];

const FORM_ENCODERS: readonly Encode[] = [
  ['png', (image) => image.png({ palette: true, compressionLevel: 9 }).toBuffer()],
  ['gif', (image) => image.gif().toBuffer()],
  ['jpeg-q50', (image) => toJpeg(image, 50)],
];
const SCAN_ENCODERS: readonly Encode[] = [
  [
    'png-4-greys',
    (image) => image.png({ palette: true, colours: 4, dither: 0, compressionLevel: 9 }).toBuffer(),
  ],
  ['gif-16-greys', (image) => image.gif({ colours: 16, dither: 0 }).toBuffer()],
  ['jpeg-grey-q30', (image) => toJpeg(image.greyscale(), 30)],
];
const CHAT_ENCODERS: readonly Encode[] = [
  ['jpeg-q35', (image) => toJpeg(image, 35)],
  ['jpeg-q60', (image) => toJpeg(image, 60)],
  ['webp-q50', (image) => image.webp({ quality: 50 }).toBuffer()],
];

async function makePages(photos: readonly BenchSource[]): Promise<SmallOriginal[]> {
  const pasted = await Promise.all(
    photos.slice(0, 3).map(async ({ bytes }) => flattenPixels(await readPixels(resized(bytes, 600)))),
  );
  const [chat, chatNarrow] = [drawChat(1080, 1920, pasted), drawChat(720, 1280, pasted)];
  const first = photos[0];
  return [
    ...(await makePage('form-1280', 'form', drawForm(1280, 900), FORM_ENCODERS)),
    ...(await makePage('scan-1240', 'form', drawScan(1240, 1754), SCAN_ENCODERS)),
    ...(await makePage('chart-900', 'form', drawChart(900, 600), FORM_ENCODERS)),
    ...(await makePage('chat-1080', 'chat', chat, CHAT_ENCODERS)),
    ...(await makePage('chat-720', 'chat', chatNarrow, CHAT_ENCODERS.slice(0, 2))),
    ...(first ? await makeStickers(first) : []),
  ];
}

function makePage(
  name: string,
  kind: SmallOriginal['kind'],
  page: RgbImage,
  encoders: readonly Encode[],
): Promise<SmallOriginal[]> {
  const pristine: Pixels = { ...page, data: Buffer.from(page.data.buffer), channels: 3 };
  return Promise.all(
    encoders.map(async ([encoding, encode]) => ({
      name: `${name} ${encoding}`,
      kind,
      body: await encode(openPixels(pristine)),
      pristine,
    })),
  );
}

/** Stickers: a picture cut out as a disc, on a transparent ground. */
async function makeStickers({ bytes }: BenchSource): Promise<SmallOriginal[]> {
  const side = 512;
  const disc = Buffer.alloc(side * side);
  for (let i = 0; i < disc.length; i++)
    disc[i] = Math.hypot((i % side) - side / 2, Math.floor(i / side) - side / 2) < side / 2 - 8 ? 255 : 0;
  const cut = sharp(bytes)
    .autoOrient()
    .resize(side, side, { fit: 'cover' })
    .flatten()
    .joinChannel(disc, { raw: { width: side, height: side, channels: 1 } });
  const pristine = await readPixels(cut);
  const encoders: Encode[] = [
    ['webp-q30', (image) => image.webp({ quality: 30 }).toBuffer()],
    ['png-palette', (image) => image.png({ palette: true, colours: 64 }).toBuffer()],
  ];
  return await Promise.all(
    encoders.map(async ([encoding, encode]) => ({
      name: `sticker-512 ${encoding}`,
      kind: 'sticker' as const,
      body: await encode(openPixels(pristine)),
      pristine,
    })),
  );
}
