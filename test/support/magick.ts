import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import {
  type IMagickImage,
  ImageMagick,
  initializeImageMagick,
  type MagickFormat,
  MagickReadSettings,
} from '@imagemagick/magick-wasm';
import sharp from 'sharp';

/** Starts ImageMagick in this process: for files that sharp cannot write. */
const started = initializeImageMagick(
  readFileSync(createRequire(import.meta.url).resolve('@imagemagick/magick-wasm/magick.wasm')),
);

/**
 * Writes an image that sharp reads as a file of another format.
 *
 * @param change - changes the image before it is written
 */
export async function writeWithMagick(
  image: Uint8Array,
  format: MagickFormat,
  change: (image: IMagickImage) => void = () => {},
): Promise<Buffer> {
  await started;
  const png = await sharp(image).png().toBuffer();
  return ImageMagick.read(png, new MagickReadSettings({ format: 'PNG' }), (read) => {
    change(read);
    return read.write(format, (bytes) => Buffer.from(bytes));
  });
}
