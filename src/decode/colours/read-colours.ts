import type { Metadata } from 'sharp';
import { asBuffer } from '../containers/isobmff.ts';
import type { DecodedSamples, ImageType } from '../image-type.ts';
import type { SourceHeader } from '../read-header.ts';
import { type CmykColours, type Colours, isSrgb, type LabColours, SRGB } from './colours.ts';
import { D50 } from './convert-lab.ts';
import { greyColours } from './grey-colours.ts';
import { heifColours } from './heif-colours.ts';
import { isUsableRgbProfile, readIccProfile } from './icc-profile.ts';
import { readTable } from './icc-table.ts';
import { pngColours } from './png-colours.ts';
import { isSrgbProfile } from './srgb-profile.ts';

/**
 * Returns what the decoded pixels of a file mean, where libvips does not know: it takes colours from ICC profiles only.
 *
 * @returns `undefined` if the pixels are sRGB, or those that the ICC profile describes
 */
export function readColours(
  bytes: Uint8Array,
  { type, decoder, metadata }: SourceHeader,
): Colours | undefined {
  switch (type) {
    case 'png':
    case 'apng':
      return pngColours(bytes, hasUsableProfile(metadata));
    case 'avif':
    case 'avis':
    case 'hevc':
      return heifColours(bytes, decoder === 'sharp' ? 16 : 8);
    default:
      return profileColours(type, metadata);
  }
}

/**
 * Returns the ICC profile that libvips is to apply to the pixels of a file without colours.
 *
 * @returns `undefined` if there is none, browsers ignore it, or it makes no difference: that of sRGB costs a third of decoding
 */
export function profileToApply({ space, icc }: Metadata): Buffer | undefined {
  if (!icc || isGrey(space)) return undefined;
  return isRgb(space) && (isSrgbProfile(icc) || !isUsableRgbProfile(icc)) ? undefined : icc;
}

function hasUsableProfile({ space, icc }: Metadata): boolean {
  if (!icc) return false;
  if (isRgb(space)) return isUsableRgbProfile(icc);
  return !isGrey(space) || greyColours(icc) !== undefined;
}

function isRgb(space: Metadata['space']): boolean {
  return space === 'srgb' || space === 'rgb16';
}

function isGrey(space: Metadata['space']): boolean {
  return space === 'b-w' || space === 'grey16';
}

/** Of pixels that are not RGB. */
function profileColours(type: ImageType, { space, icc }: Metadata): Colours | undefined {
  if (space === 'cmyk') return cmykColours(type, icc);
  if (!isGrey(space)) return undefined;
  const colours = greyColours(icc);
  return colours && !isSrgb(colours) ? colours : undefined;
}

function cmykColours(type: ImageType, icc: Buffer | undefined): CmykColours {
  const profile = icc && readIccProfile(icc);
  const table = profile?.space === 'CMYK' ? readTable(profile, 4) : undefined;
  // JPEG is the one type in CMYK that browsers show.
  return { model: 'cmyk', table, isBlackReplaced: type === 'jpeg' };
}

/**
 * Returns the colours of pixels that a decoder other than sharp gave, with the profile that it found in the file.
 *
 * @returns `undefined` if they are sRGB, or those that the profile describes
 */
export function coloursOfSamples(
  type: ImageType,
  { model, iccProfile }: DecodedSamples,
): Colours | LabColours | undefined {
  const icc = iccProfile && asBuffer(iccProfile);
  if (model === 'cmyk') return cmykColours(type, icc);
  if (model === 'lab') return { model, white: D50, isSigned: false };
  if (!icc) return undefined;
  const isOfGrey = readIccProfile(icc)?.space === 'GRAY';
  if (isOfGrey) return greyColours(icc) ?? SRGB;
  return isUsableRgbProfile(icc) ? undefined : SRGB;
}
