import type { DecodedPixels } from './image-type.ts';

/** Field types of TIFF. */
const SHORT = 3;
const LONG = 4;
const UNDEFINED = 7;
/** Several strips, so that a reader can stream them: one strip would hold the whole image. */
const ROWS_PER_STRIP = 64;

/**
 * Wraps pixels in an uncompressed TIFF (revision 6.0) with their ICC profile. It is the one container that needs no encoding and tells
 * libvips the profile.
 */
export function wrapInTiff(
  { data, width, height, channels }: Omit<DecodedPixels, 'frames'>,
  iccProfile: Uint8Array,
): Buffer {
  const stripBytes = ROWS_PER_STRIP * width * channels;
  const strips = Math.ceil(height / ROWS_PER_STRIP);
  const entries = channels === 4 ? 11 : 10;
  const bitsAt = 8 + 2 + entries * 12 + 4;
  const offsetsAt = bitsAt + 2 * channels;
  const countsAt = offsetsAt + 4 * strips;
  const profileAt = countsAt + 4 * strips;
  const pixelsAt = profileAt + iccProfile.byteLength;

  const header = Buffer.alloc(pixelsAt);
  let at = header.write('II*\0', 'latin1');
  at = header.writeUInt32LE(8, at);
  at = header.writeUInt16LE(entries, at);
  const entry = (tag: number, type: number, count: number, value: number) => {
    at = header.writeUInt16LE(tag, at);
    at = header.writeUInt16LE(type, at);
    at = header.writeUInt32LE(count, at);
    at = header.writeUInt32LE(value, at);
  };
  // The offset and length of a single strip are in the entry itself; for several, the entry points to them.
  const single = strips === 1;
  entry(256, LONG, 1, width); // ImageWidth
  entry(257, LONG, 1, height); // ImageLength
  entry(258, SHORT, channels, bitsAt); // BitsPerSample
  entry(259, SHORT, 1, 1); // Compression: none
  entry(262, SHORT, 1, 2); // PhotometricInterpretation: RGB
  entry(273, LONG, strips, single ? pixelsAt : offsetsAt); // StripOffsets
  entry(277, SHORT, 1, channels); // SamplesPerPixel
  entry(278, LONG, 1, ROWS_PER_STRIP); // RowsPerStrip
  entry(279, LONG, strips, single ? data.byteLength : countsAt); // StripByteCounts
  if (channels === 4) entry(338, SHORT, 1, 2); // ExtraSamples: unassociated alpha
  entry(34675, UNDEFINED, iccProfile.byteLength, profileAt); // InterColorProfile
  for (let channel = 0; channel < channels; channel++) header.writeUInt16LE(8, bitsAt + 2 * channel);
  for (let strip = 0; strip < strips; strip++) {
    const start = strip * stripBytes;
    header.writeUInt32LE(pixelsAt + start, offsetsAt + 4 * strip);
    header.writeUInt32LE(Math.min(stripBytes, data.byteLength - start), countsAt + 4 * strip);
  }
  header.set(iccProfile, profileAt);
  return Buffer.concat([header, data]);
}
