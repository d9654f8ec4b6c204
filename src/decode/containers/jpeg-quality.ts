import { JPEG, jpegSegments } from './jpeg-segments.ts';

/** The sum of the luminance table that ITU-T T.81 gives as an example (table K.1), which quality 50 of libjpeg stands for. */
const STANDARD_TABLE_SUM = 3688;
const COEFFICIENTS = 64;

/**
 * Returns how coarsely a JPEG quantises luminance, relative to the example table of the standard: 1 at libjpeg's quality 50, 2 at 25,
 * 0.4 at 80, whichever tables its encoder uses.
 *
 * @returns `undefined` if there is no table of luminance before the first scan
 */
export function jpegCoarseness(bytes: Uint8Array): number | undefined {
  for (const { marker, start, end } of jpegSegments(bytes, 'skip')) {
    if (marker === JPEG.SOS) return undefined;
    const sum = marker === JPEG.DQT ? sumOfTable(bytes.subarray(start + 4, end)) : undefined;
    if (sum !== undefined) return sum / STANDARD_TABLE_SUM;
  }
  return undefined;
}

/** Returns the sum of the table with identifier 0, which encoders use for luminance, among the tables of a segment. */
function sumOfTable(tables: Uint8Array): number | undefined {
  for (let at = 0; at < tables.length; ) {
    const [precision, identifier] = [(tables[at] as number) >> 4, (tables[at] as number) & 15];
    const bytesEach = precision === 0 ? 1 : 2;
    const entries = tables.subarray(at + 1, at + 1 + COEFFICIENTS * bytesEach);
    // Of two bytes, the first counts 256 times.
    if (identifier === 0)
      return entries.reduce(
        (sum, byte, index) => sum + byte * (index % bytesEach < bytesEach - 1 ? 256 : 1),
        0,
      );
    at += 1 + COEFFICIENTS * bytesEach;
  }
  return undefined;
}
