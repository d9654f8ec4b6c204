import { readSequenceHeader } from '../containers/av1-sequence-header.ts';
import { readAvifItems } from '../containers/avif-items.ts';
import { type ItemProperty, primaryProperties } from '../containers/heif-properties.ts';
import { readHevcColours } from '../containers/hevc-sequence.ts';
import { asBuffer } from '../containers/isobmff.ts';
import { CICP, type Cicp, primariesOf, SRGB_PRIMARIES, srgbTransfer, transferOf } from './cicp.ts';
import { isSrgb, type RgbColours, SRGB } from './colours.ts';
import { greyColours } from './grey-colours.ts';
import { isUsableRgbProfile } from './icc-profile.ts';
import { isHdrTransfer } from './tone-map.ts';

/** The colour description of a HEIF picture: `nclx` of its `colr` box, or in its place what the bitstream of AV1 or HEVC says. */
interface Description extends Cicp {
  matrix: number;
  isFullRange: boolean;
}

const IDENTITY_MATRIX = 0;
const UNSPECIFIED: Description = {
  primaries: CICP.UNSPECIFIED,
  transfer: CICP.UNSPECIFIED,
  matrix: CICP.UNSPECIFIED,
  isFullRange: true,
};

/**
 * Returns the colours of the decoded pixels of a HEIF file, AVIF or HEIC; `undefined` if they are sRGB or an ICC profile says them.
 *
 * As in browsers, what is unspecified or unknown is that of sRGB, and so are the curves of video (BT.709, BT.601, BT.2020).
 *
 * @param sampleBits - of the decoded pixels, if the picture has more than 8 bits
 */
export function heifColours(bytes: Uint8Array, sampleBits: 8 | 16): RgbColours | undefined {
  const file = asBuffer(bytes);
  try {
    const properties = primaryProperties(file);
    const { bits, isMonochrome } = codecConfiguration(properties);
    const description = nclxOf(properties) ?? bitstreamColours(file, properties) ?? UNSPECIFIED;
    const levels = decodedLevels(description, isMonochrome, bits, sampleBits);
    const sent = colrOf(properties, 'prof') ?? colrOf(properties, 'rICC');
    const profile = sent && (isMonochrome || isUsableRgbProfile(sent)) ? sent : undefined;
    if (profile && !isMonochrome && !levels) return undefined;
    const colours = profile
      ? (isMonochrome && greyColours(profile)) || SRGB
      : cicpColours(description, contentPeak(properties));
    if (levels) return { ...colours, levels };
    return isSrgb(colours) ? undefined : colours;
  } catch (error) {
    // The boxes are damaged; the decoder says so, or knows better.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function cicpColours({ primaries, transfer }: Cicp, peak: number | undefined): RgbColours {
  return {
    model: 'rgb',
    primaries: primariesOf(primaries) ?? SRGB_PRIMARIES,
    transfer: isHdrTransfer(transfer) ? { code: transfer, peak } : (transferOf(transfer) ?? srgbTransfer),
  };
}

/**
 * Returns the levels of black and white after decoding, where libheif leaves those of a limited range: for monochrome pictures altogether
 * (libheif issue 580), and with the identity matrix for red and blue, whose range it takes to be that of chroma.
 */
function decodedLevels(
  { matrix, isFullRange }: Description,
  isMonochrome: boolean,
  bits: number,
  sampleBits: number,
): RgbColours['levels'] {
  if (isFullRange) return undefined;
  // libvips shifts the bits of deep samples up to 16.
  const scale = bits > 8 && sampleBits === 16 ? 256 / 65535 : 1 / 255;
  const limited = { black: 16 * scale, white: 235 * scale };
  if (isMonochrome) return [limited, limited, limited];
  if (matrix !== IDENTITY_MATRIX) return undefined;
  const green = { black: 0, white: 1 };
  const others = { black: 0, white: 219 / 224 };
  return [others, green, others];
}

function colrOf(properties: readonly ItemProperty[], type: string): Buffer | undefined {
  const colr = properties.find(
    (property) => property.type === 'colr' && property.content.toString('latin1', 0, 4) === type,
  );
  return colr?.content.subarray(4);
}

function nclxOf(properties: readonly ItemProperty[]): Description | undefined {
  const nclx = colrOf(properties, 'nclx');
  if (!nclx) return undefined;
  const [primaries, transfer, matrix] = [0, 2, 4].map((at) => nclx.readUInt16BE(at)) as [
    number,
    number,
    number,
  ];
  return { primaries, transfer, matrix, isFullRange: nclx.readUInt8(6) >= 0x80 };
}

function bitstreamColours(file: Buffer, properties: readonly ItemProperty[]): Description | undefined {
  const hvcC = properties.find(({ type }) => type === 'hvcC')?.content;
  if (hvcC) return readHevcColours(hvcC);
  const item = readAvifItems(file)?.primary;
  return item?.type === 'av01' ? readSequenceHeader(item.data) : undefined;
}

/** From `av1C` (AV1 Codec ISO Media File Format Binding, section 2.3.3) or `hvcC` (ISO/IEC 14496-15, section 8.3.2.1). */
function codecConfiguration(properties: readonly ItemProperty[]): { bits: number; isMonochrome: boolean } {
  const find = (type: string) => properties.find((property) => property.type === type)?.content;
  const [av1C, hvcC] = [find('av1C'), find('hvcC')];
  if (av1C) {
    const flags = av1C.readUInt8(2);
    return { bits: flags & 0x40 ? (flags & 0x20 ? 12 : 10) : 8, isMonochrome: (flags & 0x10) !== 0 };
  }
  if (hvcC) return { bits: 8 + (hvcC.readUInt8(17) & 7), isMonochrome: (hvcC.readUInt8(16) & 3) === 0 };
  return { bits: 8, isMonochrome: false };
}

/** Returns the luminance of the brightest pixel, or else of the brightest that the display could show on which it was graded, in cd/m². */
function contentPeak(properties: readonly ItemProperty[]): number | undefined {
  const find = (type: string) => properties.find((property) => property.type === type)?.content;
  const [clli, mdcv] = [find('clli'), find('mdcv')];
  return clli?.readUInt16BE(0) || (mdcv && mdcv.readUInt32BE(16) / 10_000) || undefined;
}
