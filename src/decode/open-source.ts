import sharp, { type Metadata, type Sharp, type WebpOptions } from 'sharp';
import type { Colours } from './colours/colours.ts';
import { convertToSrgb } from './colours/convert-to-srgb.ts';
import { coloursOfSamples } from './colours/read-colours.ts';
import { isPremultiplied } from './containers/heif-properties.ts';
import { asBuffer } from './containers/isobmff.ts';
import { corruptError, DECODE_TIMEOUT_SECONDS, withDecodeErrors } from './decode-errors.ts';
import { decodeApng } from './decoders/apng.ts';
import { decodeBmp } from './decoders/bmp.ts';
import { decodeWithMagick } from './decoders/magick.ts';
import { renderPdf } from './decoders/pdf.ts';
import type { DecodedPixels, DecodedSamples, ImageType } from './image-type.ts';
import type { InspectedSource } from './inspect.ts';
import { wrapInTiff } from './wrap-in-tiff.ts';

/** Types whose pixels ImageMagick gives as they are stored. */
const TURNED_HERE: readonly ImageType[] = ['jxl', 'tiff'];

/**
 * Opens a source as a sharp pipeline: of the file, or of the pixels that another decoder made of it. Its pixels are upright; those of a
 * still are in the colours of the file, those of an animation in sRGB.
 *
 * @param maxPixels - the limit of pixels for sharp
 * @throws EdgepressError of the other decoders; errors of sharp show when the pipeline runs
 */
export async function openSource(source: InspectedSource, maxPixels: number): Promise<Sharp> {
  const { decoder, bytes, type, facts, frames, decodeBytes } = source;
  // In HEIF it is a copy of what the decoder turns by.
  const orientation = TURNED_HERE.includes(type) ? source.metadata.orientation : undefined;
  switch (decoder) {
    case 'sharp': {
      const image = openWithSharp(source, maxPixels);
      return isPremultipliedAvif(source) ? await unpremultiply(image, source) : image;
    }
    case 'magick':
      return openDecoded(await decodeWithMagick(bytes, type, { frames, orientation, decodeBytes }), source);
    case 'bmp':
      return openDecoded(await decodeBmp(bytes, type), source);
    case 'pdfium':
      return openDecoded(await renderPdf(bytes, facts), source);
    case 'apng': {
      const openFrame = (png: Buffer) => openWithSharp({ ...source, bytes: png, frames: 1 }, maxPixels);
      return openDecoded(await decodeApng(asBuffer(bytes), openFrame), source);
    }
  }
}

function openWithSharp(source: InspectedSource, maxPixels: number): Sharp {
  const { bytes, frames, page, isDeepRgb, iccProfile, colours } = source;
  const ignoreIcc = colours !== undefined || iccProfile === undefined;
  const failOn = source.isLenient ? 'error' : 'warning';
  const limits = { limitInputPixels: maxPixels, failOn, ignoreIcc } as const;
  // Turning would turn the column of all frames, and browsers do not turn animations.
  const image =
    frames > 1 ? sharp(bytes, { ...limits, animated: true }) : sharp(bytes, { ...limits, page }).autoOrient();
  // sharp processes 16-bit RGB with a profile in Display P3, and leaves it there unless a target profile is given.
  if (colours?.model === 'cmyk') return image.pipelineColourspace('cmyk');
  return isDeepRgb && iccProfile && !colours ? image.withIccProfile('srgb', { attach: false }) : image;
}

function isPremultipliedAvif({ type, bytes, metadata }: InspectedSource): boolean {
  if (type !== 'avif' || !metadata.hasAlpha) return false;
  try {
    return isPremultiplied(asBuffer(bytes));
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Divides the colours by the transparency that they are multiplied by already: libvips does not. */
async function unpremultiply(image: Sharp, { type, metadata, iccProfile }: InspectedSource): Promise<Sharp> {
  const isDeep = metadata.depth === 'ushort' && !iccProfile;
  const stored = image.toColourspace(isDeep ? 'rgb16' : 'srgb');
  const raw = stored.raw({ depth: isDeep ? 'ushort' : 'uchar' }).timeout({ seconds: DECODE_TIMEOUT_SECONDS });
  const { data, info } = await withDecodeErrors(type, () => raw.toBuffer({ resolveWithObject: true }));
  const values = isDeep ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data;
  const opaque = isDeep ? 0xffff : 0xff;
  const { width, height, channels } = info;
  for (let at = 0; at < values.length; at += channels) {
    const alpha = values[at + channels - 1] as number;
    for (let channel = at; alpha > 0 && channel < at + channels - 1; channel++)
      values[channel] = Math.min(opaque, Math.round(((values[channel] as number) * opaque) / alpha));
  }
  return sharp(values, { raw: { width, height, channels }, limitInputPixels: false });
}

/** Converts pixels whose own colours libvips does not: CMYK, L*a*b*, and grey with a profile. */
async function toRgb(
  samples: DecodedSamples,
  type: ImageType,
  known: Colours | undefined,
): Promise<DecodedPixels> {
  const { model = 'rgb', channels } = samples;
  const rgb = { ...samples, model: 'rgb', iccProfile: undefined } as DecodedPixels;
  const own = known && model === 'rgb' ? undefined : coloursOfSamples(type, samples);
  return own ? { ...rgb, ...(await convertToSrgb(samples.data, channels, own)) } : (samples as DecodedPixels);
}

/** Opens pixels that another decoder gave. */
async function openDecoded(
  samples: DecodedSamples,
  { metadata, colours, ...source }: InspectedSource,
): Promise<Sharp> {
  const pixels = await toRgb(samples, source.type, colours);
  const { width, height, channels, frames } = pixels;
  if (frames !== source.frames)
    throw corruptError(source.type, new Error(`${frames} of ${source.frames} frames`));
  const data =
    colours && frames > 1 ? (await convertToSrgb(pixels.data, channels, colours)).data : pixels.data;
  const iccProfile = colours ? undefined : (pixels.iccProfile ?? source.iccProfile);
  if (frames === 1 && iccProfile) return sharp(wrapInTiff(pixels, iccProfile), { limitInputPixels: false });
  const raw = { width, height: height * frames, channels, ...(frames > 1 && { pageHeight: height }) };
  const image = sharp(data, { raw, animated: frames > 1, limitInputPixels: false });
  // The options of an animation stay when the encoder is chosen.
  return frames > 1 ? image.webp(timingOf(metadata)) : image;
}

/** GIF and WebP have 16 bits for how often an animation is played and for milliseconds; PNG and HEIF have 32. */
const MAX_TIMING = 0xffff;

function timingOf({ delay, loop }: Pick<Metadata, 'delay' | 'loop'>): Pick<WebpOptions, 'delay' | 'loop'> {
  return {
    ...(delay && { delay: delay.map((ms) => Math.min(ms, MAX_TIMING)) }),
    ...(loop !== undefined && { loop: Math.min(loop, MAX_TIMING) }),
  };
}
