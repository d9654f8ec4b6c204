import sharp from 'sharp';
import { apng } from '../../test/support/apng.ts';
import { avifSequence } from '../../test/support/avif-sequence.ts';
import { bmp } from '../../test/support/bmp.ts';
import { cameraRaw, canonRaw3, fujifilmRaw } from '../../test/support/camera-raw.ts';
import { colouredHeic } from '../../test/support/colours/coloured-heic.ts';
import { heicGrid } from '../../test/support/heif.ts';
import { icon, iconBmp } from '../../test/support/icon.ts';
import { writeWithMagick } from '../../test/support/magick.ts';
import { pageAsPdf, quartersOfPage } from '../../test/support/pdf.ts';
import { animation, QUARTERS, quarters } from '../../test/support/pictures.ts';
import { type TiffRecipe, writeTiff } from '../../test/support/tiff.ts';

/** A whole image that inputs are made from. */
export interface SeedImage {
  name: string;
  bytes: Buffer;
}

const SIZE = { width: 24, height: 16 };
/** Of a picture that cameras would write as a preview: smaller ones are not shown. */
const PREVIEW = { width: 480, height: 320 };

const EXIF = { IFD0: { Artist: 'someone', Copyright: '2026' }, IFD3: { GPSLatitude: '1/1 2/1 3/1' } };
const withMetadata = () => quarters().withExif(EXIF).withIccProfile('p3').withXmp('<x:xmpmeta/>');
const translucent = () =>
  sharp({ create: { width: 48, height: 32, channels: 4, background: { r: 9, g: 99, b: 199, alpha: 0.4 } } });

/** Returns small images of every format that the service decodes, and of several kinds of each. */
export async function makeSeedImages(): Promise<SeedImage[]> {
  const makers = { ...withSharp, ...tiffs, ...others };
  return await Promise.all(
    Object.entries(makers).map(async ([name, make]) => ({ name, bytes: await make() })),
  );
}

type Makers = Readonly<Record<string, () => Buffer | Promise<Buffer>>>;

const withSharp: Makers = {
  'jpeg with metadata': () => withMetadata().jpeg({ quality: 80 }).toBuffer(),
  'progressive jpeg': () => quarters().jpeg({ progressive: true }).toBuffer(),
  'jpeg of one component': () => quarters().greyscale().jpeg().toBuffer(),
  'cmyk jpeg': () => quarters().toColourspace('cmyk').jpeg().toBuffer(),
  'png with metadata': () => withMetadata().png().toBuffer(),
  'interlaced png of 16 bits': () => quarters().toColourspace('rgb16').png({ progressive: true }).toBuffer(),
  'png with a palette': () => quarters().png({ palette: true }).toBuffer(),
  'translucent png': () => translucent().png().toBuffer(),
  'gif that moves': async () => (await animation(16, 16)).gif({ loop: 3 }).toBuffer(),
  gif: () => quarters().gif().toBuffer(),
  'webp with metadata': () => withMetadata().webp().toBuffer(),
  'lossless webp': () => translucent().webp({ lossless: true }).toBuffer(),
  'translucent webp': () => translucent().webp().toBuffer(),
  'webp that moves': async () => (await animation(16, 16)).webp().toBuffer(),
  'avif with metadata': () => withMetadata().avif({ effort: 0 }).toBuffer(),
  'translucent avif': () => translucent().avif({ effort: 0 }).toBuffer(),
  'avif of 10 bits': () =>
    quarters().avif({ effort: 0, bitdepth: 10, chromaSubsampling: '4:4:4' }).toBuffer(),
};

const RGB_TIFF: TiffRecipe = {
  ...SIZE,
  samples: 3,
  bits: 8,
  format: 1,
  photometric: 2,
  extra: undefined,
  isPlanar: false,
  isTiled: false,
  isBig: false,
  isLittle: true,
  compression: 1,
  predictor: 1,
  isShort: false,
};

const tiffs: Makers = {
  tiff: () => writeTiff(RGB_TIFF),
  'tiled big tiff': () => writeTiff({ ...RGB_TIFF, isTiled: true, isBig: true }),
  'planar tiff of 16 bits': () => writeTiff({ ...RGB_TIFF, bits: 16, isPlanar: true, isLittle: false }),
  'tiff with more samples': () => writeTiff({ ...RGB_TIFF, samples: 5, extra: [2, 0], compression: 8 }),
  'lzw tiff': () => withMetadata().tiff({ compression: 'lzw', predictor: 'horizontal' }).toBuffer(),
  'jpeg tiff in tiles': () =>
    quarters().tiff({ compression: 'jpeg', tile: true, tileWidth: 32, tileHeight: 32 }).toBuffer(),
  'tiff of one bit': () =>
    quarters()
      .greyscale()
      .threshold()
      .toColourspace('b-w')
      .tiff({ compression: 'ccittfax4', bitdepth: 1 })
      .toBuffer(),
  'cmyk tiff': () => quarters().toColourspace('cmyk').tiff({ compression: 'deflate' }).toBuffer(),
  'lab tiff': () => quarters().toColourspace('lab').tiff().toBuffer(),
};

const withMagick = (format: 'JXL' | 'JP2' | 'J2K' | 'PSD' | 'PSB') => async () =>
  await writeWithMagick(await quarters(48, 32).png().toBuffer(), format as never);
const jpegOf = (size: { width: number; height: number }) =>
  quarters(size.width, size.height).jpeg().toBuffer();

const others: Makers = {
  apng: () =>
    apng(
      SIZE,
      [
        { ...SIZE, colour: [200, 40, 40, 255] },
        { width: 8, height: 8, left: 4, top: 2, colour: [40, 200, 40, 128], dispose: 1, blend: 1 },
        { width: 8, height: 8, left: 8, top: 6, colour: [40, 40, 200, 255], dispose: 2 },
      ],
      { still: [1, 2, 3, 255] },
    ),
  'avif sequence': () =>
    avifSequence(
      { width: 32, height: 32 },
      QUARTERS.slice(0, 3).map((colour) => ({ colour, delay: 100 })),
    ),
  'heic of tiles': () => heicGrid(2, 1),
  'heic of one tile': () => heicGrid(1, 1),
  'heic with transparency': () =>
    colouredHeic(
      [
        [200, 40, 40],
        [40, 200, 40],
      ],
      { auxiliary: 'urn:mpeg:hevc:2015:auxid:1' },
    ),
  jxl: withMagick('JXL'),
  jp2: withMagick('JP2'),
  'bare jpeg 2000': withMagick('J2K'),
  psd: withMagick('PSD'),
  psb: withMagick('PSB'),
  bmp: () => bmp(24, 16, { bits: 24 }),
  'bmp with run lengths': () => bmp(24, 16, { bits: 8, isRunLength: true }),
  'bmp with masks': () => bmp(24, 16, { bits: 16, header: 124, masks: [0xf800, 0x07e0, 0x001f, 0] }),
  'bmp of os/2': () => bmp(24, 16, { bits: 4, header: 12 }),
  icon: async () =>
    icon([
      iconBmp(16, 16, 8, { isMasked: true }),
      iconBmp(24, 24, 32, { alpha: 128 }),
      { width: 32, height: 32, bytes: await quarters(32, 32).png().toBuffer() },
    ]),
  cursor: () => icon([iconBmp(16, 16, 1)], 'cursor'),
  pdf: async () =>
    pageAsPdf({
      content: `${quartersOfPage(QUARTERS, 90, 60)}\nBT /F1 12 Tf 5 5 Td (text) Tj ET q 20 0 0 20 5 5 cm /Im1 Do Q`,
      width: 90,
      height: 60,
      image: { jpeg: await jpegOf(SIZE), ...SIZE },
    }),
  dng: async () =>
    cameraRaw({
      entries: [
        [254, 1],
        [262, 2],
        [274, 6],
        [50_706, 0x0401],
      ],
      data: [await jpegOf(PREVIEW)],
    }),
  raf: async () => fujifilmRaw(await jpegOf(PREVIEW)),
  cr3: async () => canonRaw3(await jpegOf(PREVIEW), 6),
};
