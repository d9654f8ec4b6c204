import { box, uint16, uint32 } from './heif.ts';

/** An entry of a TIFF directory: SHORT or LONG values, or text. */
type Entry = [tag: number, value: number | string];

const [ASCII, SHORT, LONG] = [2, 3, 4];

export interface RawOptions {
  /** The first four bytes; by default those of a little-endian TIFF. */
  signature?: string;
  /** Behind the header of eight bytes. */
  name?: string;
  entries: Entry[];
  /** Of a second directory, to which the tag SubIFDs points. */
  subEntries?: Entry[];
  /** What follows the directories. */
  data: Buffer[];
}

/** Makes a file with the directories of a TIFF, as most cameras write RAW. */
export function cameraRaw({ signature = 'II*\0', name = '', entries, subEntries, data }: RawOptions): Buffer {
  const first = 8 + name.length;
  const texts: Buffer[] = [];
  const count = entries.length + (subEntries ? 1 : 0);
  const second = first + 2 + count * 12 + 4;
  const textsAt = second + (subEntries ? 2 + subEntries.length * 12 + 4 : 0);
  const write = (list: Entry[]) => {
    const directory = Buffer.alloc(2 + list.length * 12 + 4);
    directory.writeUInt16LE(list.length);
    for (const [index, [tag, value]] of list.entries()) {
      const at = 2 + index * 12;
      directory.writeUInt16LE(tag, at);
      if (typeof value === 'number') {
        const isLong = value > 65_535 || tag === 330;
        directory.writeUInt16LE(isLong ? LONG : SHORT, at + 2);
        directory.writeUInt32LE(1, at + 4);
        directory.writeUInt32LE(value, at + 8);
        continue;
      }
      const text = Buffer.from(`${value}\0\0\0\0`, 'latin1');
      directory.writeUInt16LE(ASCII, at + 2);
      directory.writeUInt32LE(text.length, at + 4);
      directory.writeUInt32LE(textsAt + Buffer.concat(texts).length, at + 8);
      texts.push(text);
    }
    return directory;
  };
  const header = Buffer.alloc(8);
  header.write(signature, 'latin1');
  header.writeUInt32LE(first, 4);
  const all: Entry[] = subEntries ? [...entries, [330, second]] : entries;
  const directories = [write(all), ...(subEntries ? [write(subEntries)] : [])];
  return Buffer.concat([header, Buffer.from(name, 'latin1'), ...directories, ...texts, ...data]);
}

/** Makes a RAF of Fujifilm, which has its preview behind a header of its own. */
export function fujifilmRaw(jpeg: Buffer): Buffer {
  const header = Buffer.alloc(148);
  header.write('FUJIFILMCCD-RAW 0201FF000001X-T1', 'latin1');
  header.writeUInt32BE(header.length, 84);
  header.writeUInt32BE(jpeg.length, 88);
  return Buffer.concat([header, jpeg]);
}

/** Makes a CR3 of Canon: boxes, with the orientation in Canon's own and the preview among the data. */
export function canonRaw3(jpeg: Buffer, orientation: number): Buffer {
  const canon = Buffer.from('85c0b687820f11e08111f4ce462b6a48', 'hex');
  const directory = cameraRaw({ entries: [[274, orientation]], data: [] });
  return Buffer.concat([
    box('ftyp', Buffer.from('crx \0\0\0\x01crx isom', 'latin1')),
    box('moov', box('uuid', canon, box('CNCV', Buffer.from('CanonCR3')), box('CMT1', directory))),
    box('mdat', jpeg, Buffer.alloc(64, 7)),
  ]);
}

/** A lossless JPEG, as sensor data are stored: its frame has another marker than those that are shown. */
export function losslessJpeg(width: number, height: number): Buffer {
  return Buffer.concat([
    Buffer.from([0xff, 0xd8, 0xff, 0xc3, 0, 17, 14]),
    uint16(height),
    uint16(width),
    Buffer.from([3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 1, 0, 0]),
    uint32(0x12345678),
    Buffer.from([0xff, 0xd9]),
  ]);
}
