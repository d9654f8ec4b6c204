import type { ImageType } from '../image-type.ts';
import type { Size } from '../size.ts';
import { asBuffer, findBox } from './isobmff.ts';
import { readJxlSize } from './jxl-header.ts';
import { readPsdSize } from './psd-header.ts';

/** In pixels, upright; with the orientation that the decoder leaves to apply, as EXIF has it. */
export interface UprightSize extends Size {
  orientation?: number;
}

/** Reads the size of an image from the header of a file; `undefined` if the header is damaged. */
type ReadSize = (file: Buffer) => UprightSize | undefined;

/** The types whose header sharp cannot read. */
const READERS: Readonly<Partial<Record<ImageType, ReadSize>>> = {
  jxl: readJxlSize,
  jp2: readJp2Size,
  psd: readPsdSize,
};

/** Returns the size of an upright image of a type that sharp does not know; `undefined` if its header is damaged. */
export function readSize(bytes: Uint8Array, type: ImageType): UprightSize | undefined {
  try {
    const size = READERS[type]?.(asBuffer(bytes));
    return size && size.width > 0 && size.height > 0 ? size : undefined;
  } catch (error) {
    // The file ends within the header.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The image header box of a JP2 (ISO/IEC 15444-1, annex I.5.3.1), or the SIZ segment of a bare codestream (annex A.5.1). */
function readJp2Size(file: Buffer): Size | undefined {
  if (file.readUInt32BE(0) === 0xff4fff51) {
    const [xsiz, ysiz, xosiz, yosiz] = [8, 12, 16, 20].map((at) => file.readUInt32BE(at)) as Quad;
    return { width: xsiz - xosiz, height: ysiz - yosiz };
  }
  const header = findBox(file, ['jp2h', 'ihdr']);
  return header && { width: file.readUInt32BE(header.start + 4), height: file.readUInt32BE(header.start) };
}

type Quad = [number, number, number, number];
