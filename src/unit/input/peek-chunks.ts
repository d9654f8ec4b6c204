/**
 * Reads the first bytes of a stream without taking them.
 *
 * @param bytes - how many; fewer if there are not as many
 * @param isEnough - whether fewer are enough
 * @returns them, and the whole stream, which can be read once
 */
export async function peekChunks(
  chunks: AsyncIterable<Uint8Array>,
  bytes: number,
  isEnough: (head: Buffer) => boolean = () => false,
): Promise<{ head: Buffer; all: AsyncIterable<Uint8Array> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  const taken: Uint8Array[] = [];
  let head = Buffer.alloc(0);
  while (head.length < bytes && !isEnough(head)) {
    const next = await iterator.next();
    if (next.done) break;
    taken.push(next.value);
    head = Buffer.concat([head, next.value]);
  }
  async function* all(): AsyncGenerator<Uint8Array, void> {
    try {
      yield* taken.splice(0);
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { head: head.subarray(0, bytes), all: all() };
}
