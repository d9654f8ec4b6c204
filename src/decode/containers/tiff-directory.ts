/** The entries of one directory of a TIFF (revision 6.0, section 2): values of integers that are read, by tag. */
export type TiffDirectory = ReadonlyMap<number, readonly number[]>;

const ENTRY_BYTES = 12;
/** Sizes of the field types that hold whole numbers: BYTE, SHORT, LONG, and IFD. */
const TYPE_BYTES: Readonly<Record<number, 1 | 2 | 4>> = { 1: 1, 3: 2, 4: 4, 13: 4 };
/** Nothing that is read has more values. */
const MAX_VALUES = 64;

/**
 * Reads directories of a TIFF, or of a camera RAW that is one but for its signature.
 *
 * @param start - where the TIFF begins in the file
 */
export function tiffReader(file: Buffer, start = 0) {
  const isLittle = file[start] === 0x49;
  const read = (at: number, bytes: number) =>
    isLittle ? file.readUIntLE(start + at, bytes) : file.readUIntBE(start + at, bytes);
  const has = (at: number, bytes: number) => start + at + bytes <= file.length;

  function readValues(entry: number): number[] {
    const [type, count] = [read(entry + 2, 2), read(entry + 4, 4)];
    const bytes = TYPE_BYTES[type];
    if (!bytes) return [];
    const from = count * bytes > 4 ? read(entry + 8, 4) : entry + 8;
    const places = Array.from({ length: Math.min(count, MAX_VALUES) }, (_, index) => from + index * bytes);
    return places.filter((at) => has(at, bytes)).map((at) => read(at, bytes));
  }

  /** Text and fractions have no values here, only their tags; entries beyond the end of the file are left out. */
  function readDirectory(at: number): TiffDirectory {
    const directory = new Map<number, number[]>();
    if (!has(at, 2)) return directory;
    const end = at + 2 + read(at, 2) * ENTRY_BYTES;
    for (let entry = at + 2; entry < end && has(entry, ENTRY_BYTES); entry += ENTRY_BYTES)
      directory.set(read(entry, 2), readValues(entry));
    return directory;
  }

  return {
    readDirectory,
    /** Returns the directory of the first image; an empty one if there is none. */
    readFirst: () => readDirectory(has(4, 4) ? read(4, 4) : file.length),
  };
}
