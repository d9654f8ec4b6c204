/** Returns a Zstandard frame (RFC 8878) with these bytes in raw blocks: compressed by nothing, and as valid as any. */
export function toZstd(bytes: Uint8Array, blockBytes = 1000): Buffer {
  const blocks: Buffer[] = [];
  for (let at = 0; at === 0 || at < bytes.length; at += blockBytes) {
    const block = bytes.subarray(at, at + blockBytes);
    blocks.push(blockHeader(0, block.length, at + blockBytes >= bytes.length), Buffer.from(block));
  }
  return Buffer.concat([frameHeader(10), ...blocks]);
}

/** Returns a frame of so many blocks of 128 KiB of spaces, four bytes each. */
export function zstdBomb(blocks: number): Buffer {
  const block = (isLast: boolean) => Buffer.concat([blockHeader(1, 2 ** 17, isLast), Buffer.from(' ')]);
  return Buffer.concat([
    frameHeader(17),
    ...Array.from({ length: blocks }, (_, index) => block(index === blocks - 1)),
  ]);
}

/** @param windowLog - of the window that the frame asks for, from 10 on */
export function frameHeader(windowLog: number): Buffer {
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (windowLog - 10) << 3]);
}

function blockHeader(type: number, size: number, isLast: boolean): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE((size << 3) | (type << 1) | Number(isLast), 0, 3);
  return header;
}
