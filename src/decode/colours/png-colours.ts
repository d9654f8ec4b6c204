import { inflateSync } from 'node:zlib';
import { pngChunks } from '../containers/chunks.ts';
import { asBuffer } from '../containers/isobmff.ts';
import { gamma, type Primaries, primariesOf, SRGB_PRIMARIES, transferOf, VIDEO_TRANSFERS } from './cicp.ts';
import { isSrgb, type RgbColours } from './colours.ts';
import { greyColours } from './grey-colours.ts';
import { isHdrTransfer } from './tone-map.ts';

/** The bit of the colour type that tells RGB from grey. */
const COLOUR_BIT = 2;

/** Those of printers, the largest, have some 2 MB. */
const MAX_PROFILE_BYTES = 4 * 2 ** 20;

/** The gamma of the display for which BT.709 and its like are made (ITU-R BT.1886), rather than the curve of the camera. */
const VIDEO_GAMMA = gamma(2.4);

/** A gamma of sRGB, within 5 per cent, says no more than that the image is sRGB: so it is in libpng and in browsers. */
const SRGB_GAMMA = 1 / 2.2;
const GAMMA_TOLERANCE = 0.05;

/**
 * Returns the colours that a PNG says by code points (`cICP`), or by gamma and chromaticities (`gAMA`, `cHRM`); `undefined` if they are sRGB
 * or an ICC profile says them. The precedence is that of PNG, third edition, section 4.3; broken chunks are ignored, as in browsers.
 *
 * @param hasProfile - whether the image has an ICC profile that is not broken
 */
export function pngColours(bytes: Uint8Array, hasProfile: boolean): RgbColours | undefined {
  const chunks = chunksBeforePixels(asBuffer(bytes));
  const byCodePoints = cicpColours(chunks.get('cICP'), contentPeak(chunks.get('cLLI'), chunks.get('mDCV')));
  // Without colours, libvips would apply the profile.
  if (byCodePoints) return isSrgb(byCodePoints) && !hasProfile ? undefined : byCodePoints;
  const isGrey = ((chunks.get('IHDR')?.[9] ?? 0) & COLOUR_BIT) === 0;
  const grey = isGrey && greyColours(readIccp(chunks.get('iCCP')));
  if (grey) return isSrgb(grey) ? undefined : grey;
  const intent = chunks.get('sRGB');
  if (hasProfile || (intent?.length === 1 && (intent[0] as number) < 4)) return undefined;
  return gammaColours(chunks.get('gAMA'), chunks.get('cHRM'));
}

/**
 * Returns the ICC profile of `iCCP`: libpng keeps the profile of RGB from grey pixels.
 *
 * @returns `undefined` if it is missing or damaged
 */
function readIccp(iccp: Buffer | undefined): Buffer | undefined {
  if (!iccp) return undefined;
  try {
    // After its name and a byte for the method.
    return inflateSync(iccp.subarray(iccp.indexOf(0) + 2), { maxOutputLength: MAX_PROFILE_BYTES });
  } catch {
    return undefined;
  }
}

/** Returns the contents of the chunks before the pixels by type: of several, those of the first. */
function chunksBeforePixels(file: Buffer): Map<string, Buffer> {
  const chunks = new Map<string, Buffer>();
  for (const { type, dataStart, dataEnd, end } of pngChunks(file)) {
    if (end > file.length || type === 'IDAT') break;
    if (!chunks.has(type)) chunks.set(type, file.subarray(dataStart, dataEnd));
  }
  return chunks;
}

function cicpColours(cicp: Buffer | undefined, peak: number | undefined): RgbColours | undefined {
  if (cicp?.length !== 4) return undefined;
  const [primariesCode, transferCode, matrix, isFullRange] = cicp as unknown as [
    number,
    number,
    number,
    number,
  ];
  const primaries = primariesOf(primariesCode);
  const curve = VIDEO_TRANSFERS.includes(transferCode) ? VIDEO_GAMMA : transferOf(transferCode);
  const transfer = isHdrTransfer(transferCode) ? { code: transferCode, peak } : curve;
  // PNG is RGB, and narrow range is for video that was stored as it came.
  return primaries && transfer && matrix === 0 && isFullRange === 1
    ? { model: 'rgb', primaries, transfer }
    : undefined;
}

/** The peak of `cLLI`, or else of `mDCV`, in cd/m²; both count in 0.0001 cd/m². */
function contentPeak(clli: Buffer | undefined, mdcv: Buffer | undefined): number | undefined {
  const maxContent = clli?.length === 8 ? clli.readUInt32BE(0) : 0;
  const maxDisplay = mdcv?.length === 24 ? mdcv.readUInt32BE(16) : 0;
  return (maxContent || maxDisplay) / 10_000 || undefined;
}

/** Both count in units of 1/100,000. Chromaticities without a gamma are ignored, as in browsers. */
function gammaColours(gama: Buffer | undefined, chrm: Buffer | undefined): RgbColours | undefined {
  const exponent = gama?.length === 4 ? gama.readUInt32BE(0) / 100_000 : 0;
  if (exponent === 0) return undefined;
  const isSrgbGamma = Math.abs(exponent / SRGB_GAMMA - 1) < GAMMA_TOLERANCE;
  if (!chrm && isSrgbGamma) return undefined;
  const primaries = chrm ? readPrimaries(chrm) : SRGB_PRIMARIES;
  return primaries && { model: 'rgb', primaries, transfer: gamma(1 / exponent) };
}

/** @returns `undefined` if no light has these chromaticities */
function readPrimaries(chrm: Buffer): Primaries | undefined {
  if (chrm.length !== 32) return undefined;
  const pair = (at: number) =>
    [chrm.readUInt32BE(at) / 100_000, chrm.readUInt32BE(at + 4) / 100_000] as const;
  const primaries = { white: pair(0), red: pair(8), green: pair(16), blue: pair(24) };
  const { red, green, blue, white } = primaries;
  const isPossible = [red, green, blue, white].flat().every((value) => value <= 1) && white[1] > 0;
  const area = (green[0] - red[0]) * (blue[1] - red[1]) - (blue[0] - red[0]) * (green[1] - red[1]);
  return isPossible && area !== 0 ? primaries : undefined;
}
