import { SRGB_PRIMARIES, srgbEncoder, type TransferFunction } from './cicp.ts';
import { type RgbColours, SRGB } from './colours.ts';
import { isPlausibleCurve, readCurve, readIccProfile } from './icc-profile.ts';

/**
 * Returns the colours of grey pixels with an ICC profile: the curve of a profile of grey, or that of one of RGB, which browsers apply to
 * grey pixels and libvips does not.
 *
 * @returns `undefined` if the profile is missing or broken, or has no plausible curve
 */
export function greyColours(profile: Buffer | undefined): RgbColours | undefined {
  const transfer = profile && readGreyCurve(profile);
  if (!transfer || !isPlausibleCurve(transfer)) return undefined;
  return isSrgbCurve(transfer) ? SRGB : { model: 'rgb', primaries: SRGB_PRIMARIES, transfer };
}

function readGreyCurve(bytes: Buffer): TransferFunction | undefined {
  const profile = readIccProfile(bytes);
  const element = profile?.tag('kTRC') ?? profile?.tag('rTRC');
  try {
    return element && readCurve(element)?.curve;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Whether all levels stay what they are. */
function isSrgbCurve(transfer: TransferFunction): boolean {
  const encode = srgbEncoder();
  return Array.from({ length: 256 }, (_, level) => encode(transfer(level / 255)) - level).every(
    (difference) => Math.abs(difference) <= 1,
  );
}
