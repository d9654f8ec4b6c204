/** A box of an ISO base media file (ISO/IEC 14496-12, section 4.2): `start` and `end` of its contents, as offsets in the file. */
export interface Box {
  type: string;
  start: number;
  end: number;
}

/** Files have dozens of boxes at a level. The limit keeps a file of empty boxes from taking seconds. */
const MAX_BOXES = 10_000;

/** Returns the boxes from one offset to another, up to the first with an impossible length. */
export function boxesIn(file: Buffer, from = 0, to = file.length): Box[] {
  const boxes: Box[] = [];
  let at = from;
  while (at + 8 <= to && boxes.length < MAX_BOXES) {
    const isLong = file.readUInt32BE(at) === 1;
    if (isLong && at + 16 > to) break;
    const start = at + (isLong ? 16 : 8);
    const size = isLong ? Number(file.readBigUInt64BE(at + 8)) : file.readUInt32BE(at) || to - at;
    if (at + size < start) break;
    const end = Math.min(to, at + size);
    boxes.push({ type: file.toString('latin1', at + 4, at + 8), start, end });
    at = end;
  }
  return boxes;
}

/** Returns the first box at a path of types, each inside the one before it. */
export function findBox(file: Buffer, path: readonly string[], from = 0, to = file.length): Box | undefined {
  let box: Box | undefined = { type: '', start: from, end: to };
  for (const type of path) {
    box = boxesIn(file, box.start, box.end).find((inner) => inner.type === type);
    if (!box) return undefined;
    // A full box, which has four bytes of version and flags before the boxes inside.
    if (type === 'meta') box = { ...box, start: box.start + 4 };
  }
  return box;
}

/** Returns a view of bytes with the methods of Buffer, without copying. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
