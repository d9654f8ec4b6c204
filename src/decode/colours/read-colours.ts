import type { Metadata } from 'sharp';
import type { ImageType } from '../image-type.ts';
import type { SourceHeader } from '../read-header.ts';
import { type Colours, isSrgb, SRGB } from './colours.ts';
import { greyColours } from './grey-colours.ts';
import { heifColours } from './heif-colours.ts';
import { isUsableRgbProfile, readIccProfile } from './icc-profile.ts';
import { readTable } from './icc-table.ts';
import { pngColours } from './png-colours.ts';

/**
 * Returns what the decoded pixels of a file mean, where libvips does not know: it takes colours from ICC profiles only.
 *
 * @returns `undefined` if the pixels are sRGB, or those that the ICC profile describes
 */
export function readColours(
  bytes: Uint8Array,
  { type, decoder, metadata }: SourceHeader,
): Colours | undefined {
  const colours = coloursOf(bytes, { type, decoder, metadata });
  // Without colours, libvips would apply the profile. Browsers take such pixels for sRGB.
  return colours ?? (hasUnusableProfile(metadata) ? SRGB : undefined);
}

function coloursOf(bytes: Uint8Array, { type, decoder, metadata }: SourceHeader): Colours | undefined {
  switch (type) {
    case 'png':
    case 'apng':
      return pngColours(bytes, metadata.icc !== undefined && !hasUnusableProfile(metadata));
    case 'avif':
    case 'avis':
    case 'hevc':
      return heifColours(bytes, decoder === 'sharp' ? 16 : 8);
    default:
      return profileColours(type, metadata);
  }
}

function hasUnusableProfile({ space, icc }: Metadata): boolean {
  if (icc === undefined) return false;
  if (space === 'srgb' || space === 'rgb16') return !isUsableRgbProfile(icc);
  return isGrey(space) && !greyColours(icc);
}

function isGrey(space: Metadata['space']): boolean {
  return space === 'b-w' || space === 'grey16';
}

/** Of pixels that are not RGB. */
function profileColours(type: ImageType, { space, icc }: Metadata): Colours | undefined {
  if (space === 'cmyk') {
    const profile = icc && readIccProfile(icc);
    const table = profile?.space === 'CMYK' ? readTable(profile, 4) : undefined;
    // JPEG is the one type in CMYK that browsers show.
    return { model: 'cmyk', table, isBlackReplaced: type === 'jpeg' };
  }
  if (!isGrey(space)) return undefined;
  const colours = greyColours(icc);
  return colours && !isSrgb(colours) ? colours : undefined;
}
