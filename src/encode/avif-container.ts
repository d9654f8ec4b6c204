import { type Av1SequenceHeader, readSequenceHeader } from '../decode/containers/av1-sequence-header.ts';
import { type AvifItem, readAvifItems } from '../decode/containers/avif-items.ts';

// The container of AVIF stills: what phones check before they decode.

/** Level 5.1, the highest of the AVIF Baseline profile (AV1 Image File Format, section 8.2), as `seq_level_idx`. */
const BASELINE_MAX_LEVEL = 13;

const ALPHA_URN = 'urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0';

/**
 * Whether the system decoders of phones are made for a picture: AV1 Main profile, 8 bits, 4:2:0 or monochrome. Android decodes AVIF with
 * the AV1 codec components of its videos, which refuse other kinds.
 */
export function isPhoneKind({ profile, bitDepth, isSubsampledX, isSubsampledY }: Av1SequenceHeader): boolean {
  return profile === 0 && bitDepth === 8 && isSubsampledX && isSubsampledY;
}

/** Whether a side suits 4:2:0: Android's AV1 decoder is declared for even sides only. */
export function isEvenOrOne(side: number): boolean {
  return side % 2 === 0 || side === 1;
}

/**
 * Whether all pictures of an AVIF file, transparency included, are of the kind that phones decode, with even sides, and nothing else is
 * in it: no grid, no layers, no transformation.
 */
export function isPhoneAvif(file: Uint8Array): boolean {
  const items = readAvifItems(file);
  if (!items || items.hasOtherReferences) return false;
  return items.all.every(({ type, data, properties }) => {
    const header = type === 'av01' ? readSequenceHeader(data) : undefined;
    return (
      header !== undefined &&
      isPhoneKind(header) &&
      isEvenOrOne(header.width) &&
      isEvenOrOne(header.height) &&
      properties.every((property) => PLAIN_PROPERTIES.includes(property.type))
    );
  });
}

/** Properties that say what the picture is, and do not change how it is shown. */
const PLAIN_PROPERTIES = ['ispe', 'pixi', 'av1C', 'colr', 'auxC', 'pasp'];

/** A picture that goes into a container. */
interface CodedPicture {
  data: Uint8Array;
  header: Av1SequenceHeader;
}

/**
 * Rewrites the container of an AVIF still that libheif has encoded. The pictures stay as they are; what is said about them comes from
 * their sequence headers: the configuration (`av1C`), the depth (`pixi`), and the colours (`colr`), which libheif leaves out. The brand of
 * the Baseline profile, `MA1B`, is added where its constraints hold.
 *
 * @throws Error if it is not such a file
 */
export function finishAvif(encoded: Uint8Array): Uint8Array<ArrayBuffer> {
  const items = readAvifItems(encoded);
  const picture = items && codedPicture(items.primary);
  if (!picture) throw new Error('the encoder wrote an AVIF that cannot be read');
  const auxiliary = items.all.find(({ auxiliaryOf }) => auxiliaryOf === items.primary.id);
  const alpha = auxiliary && codedPicture(auxiliary);
  return writeAvif(picture, alpha);
}

function codedPicture({ data }: AvifItem): CodedPicture | undefined {
  const header = readSequenceHeader(data);
  return header && { data, header };
}

const PICTURE_ID = 1;
const ALPHA_ID = 2;

function writeAvif(picture: CodedPicture, alpha: CodedPicture | undefined): Uint8Array<ArrayBuffer> {
  const pictures = alpha ? [picture, alpha] : [picture];
  const brands = ['avif', 'mif1', 'miaf', ...(pictures.every(isBaseline) ? ['MA1B'] : [])];
  const ftyp = box('ftyp', 'avif', uint32(0), ...brands);
  const metaAt = (dataAt: number) =>
    fullBox(
      'meta',
      ...[fullBox('hdlr', uint32(0), 'pict', new Uint8Array(13)), fullBox('pitm', uint16(PICTURE_ID))],
      ...[itemLocations(pictures, dataAt), itemTypes(pictures)],
      ...(alpha ? [fullBox('iref', box('auxl', uint16(ALPHA_ID), uint16(1), uint16(PICTURE_ID)))] : []),
      itemProperties(picture, alpha),
    );
  // Offsets have a fixed length, so they do not change the size of the box that they stand in.
  const dataAt = ftyp.length + metaAt(0).length + 8;
  return concat(ftyp, metaAt(dataAt), box('mdat', ...pictures.map(({ data }) => data)));
}

function isBaseline({ header }: CodedPicture): boolean {
  return header.profile === 0 && header.levelIndex <= BASELINE_MAX_LEVEL;
}

/** The pictures' ids are 1 and 2. */
function itemLocations(pictures: readonly CodedPicture[], dataAt: number): Uint8Array {
  let at = dataAt;
  const locations = pictures.flatMap(({ data }, index) => {
    const offset = at;
    at += data.length;
    // In this file, as one piece.
    return [uint16(index + 1), uint16(0), uint16(1), uint32(offset), uint32(data.length)];
  });
  const FOUR_BYTE_OFFSETS_AND_LENGTHS = 0x4400;
  return fullBox('iloc', uint16(FOUR_BYTE_OFFSETS_AND_LENGTHS), uint16(pictures.length), ...locations);
}

function itemTypes(pictures: readonly CodedPicture[]): Uint8Array {
  const entries = pictures.map((_, index) =>
    box('infe', uint32(2 << 24), uint16(index + 1), uint16(0), 'av01', '\0'),
  );
  return fullBox('iinf', uint16(pictures.length), ...entries);
}

/** Decoders have to understand an essential property to show the picture. */
const ESSENTIAL = 0x80;

function itemProperties(picture: CodedPicture, alpha: CodedPicture | undefined): Uint8Array {
  const { width, height } = picture.header;
  const size = fullBox('ispe', uint32(width), uint32(height));
  const ofPicture = [channelDepths(picture), configuration(picture), colours(picture)];
  const ofAlpha = alpha ? [channelDepths(alpha), configuration(alpha), fullBox('auxC', ALPHA_URN)] : [];
  // Indices of the properties, counted from 1; both pictures have the same size.
  const associations = [
    concat(uint16(PICTURE_ID), [4, 1, 2, 3 | ESSENTIAL, 4]),
    ...(alpha ? [concat(uint16(ALPHA_ID), [4, 1, 5, 6 | ESSENTIAL, 7 | ESSENTIAL])] : []),
  ];
  return box(
    'iprp',
    box('ipco', size, ...ofPicture, ...ofAlpha),
    fullBox('ipma', uint32(associations.length), ...associations),
  );
}

/** `pixi` (ISO/IEC 23008-12, section 6.5.6). */
function channelDepths({ header: { isMonochrome, bitDepth } }: CodedPicture): Uint8Array {
  const channels = isMonochrome ? 1 : 3;
  return fullBox('pixi', [channels, ...Array.from({ length: channels }, () => bitDepth)]);
}

/** `av1C` (AV1 Codec ISO Media File Format Binding, section 2.3). */
function configuration({ header }: CodedPicture): Uint8Array {
  const { profile, levelIndex, tier, bitDepth, isMonochrome, isSubsampledX, isSubsampledY } = header;
  const flags =
    (tier << 7) |
    (Number(bitDepth > 8) << 6) |
    (Number(bitDepth > 10) << 5) |
    (Number(isMonochrome) << 4) |
    (Number(isSubsampledX) << 3) |
    (Number(isSubsampledY) << 2) |
    header.chromaSamplePosition;
  return box('av1C', [0x81, (profile << 5) | levelIndex, flags, 0]);
}

/** `colr` (ISO/IEC 14496-12, section 12.1.5): libheif encodes sRGB with the matrix of BT.601 in full range, and says so in the bitstream. */
function colours({ header: { primaries, transfer, matrix, isFullRange } }: CodedPicture): Uint8Array {
  const FULL_RANGE = 0x80;
  const codePoints = [primaries, transfer, matrix].map(uint16);
  return box('colr', 'nclx', ...codePoints, [isFullRange ? FULL_RANGE : 0]);
}

type Part = Uint8Array | readonly number[] | string;

function box(type: string, ...content: Part[]): Uint8Array {
  const body = concat(type, ...content);
  return concat(uint32(body.length + 4), body);
}

/** A box of version 0 without flags. */
function fullBox(type: string, ...content: Part[]): Uint8Array {
  return box(type, uint32(0), ...content);
}

function concat(...parts: readonly Part[]): Uint8Array<ArrayBuffer> {
  const bytes = parts.map(toBytes);
  const joined = new Uint8Array(bytes.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of bytes) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function toBytes(part: Part): Uint8Array {
  if (typeof part === 'string') return Buffer.from(part, 'latin1');
  return part instanceof Uint8Array ? part : Uint8Array.from(part);
}

function uint16(value: number): Uint8Array {
  return Uint8Array.of(value >> 8, value & 255);
}

function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
