/** Markers of JPEG segments (ITU-T T.81, annex B). */
const QUANTISATION_TABLES = 0xdb;
const SCAN = 0xda;

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
  for (let at = 2; bytes[at] === 0xff; ) {
    const marker = bytes[at + 1] as number;
    if (marker === 0xff) {
      at++;
      continue;
    }
    if (marker === SCAN) return undefined;
    const end = at + 2 + uint16(bytes, at + 2);
    if (marker === QUANTISATION_TABLES) {
      const sum = sumOfTable(bytes, at + 4, end);
      if (sum !== undefined) return sum / STANDARD_TABLE_SUM;
    }
    at = end;
  }
  return undefined;
}

/** Returns the sum of the table with identifier 0, which encoders use for luminance, among the tables of a segment. */
function sumOfTable(bytes: Uint8Array, from: number, to: number): number | undefined {
  for (let at = from; at < to; ) {
    const [precision, identifier] = [(bytes[at] as number) >> 4, (bytes[at] as number) & 15];
    const bytesEach = precision === 0 ? 1 : 2;
    let sum = 0;
    for (let i = 0; i < COEFFICIENTS; i++) {
      const entry = at + 1 + i * bytesEach;
      sum += bytesEach === 1 ? (bytes[entry] ?? 0) : uint16(bytes, entry);
    }
    if (identifier === 0) return sum;
    at += 1 + COEFFICIENTS * bytesEach;
  }
  return undefined;
}

function uint16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
}
