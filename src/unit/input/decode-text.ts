import { peekChunks } from './peek-chunks.ts';

/** What Excel calls "Unicode text", and what PowerShell writes to files. */
type Utf16 = 'utf-16le' | 'utf-16be';

const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Converts UTF-16 to UTF-8, by its byte order mark or, without one, by the zero byte of its first character, which is in ASCII; and drops
 * the byte order mark of UTF-8. Leaves anything else as it is.
 */
export async function* decodeText(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  const { head, all } = await peekChunks(chunks, UTF8_MARK.length);
  const encoding = findUtf16(head);
  if (encoding) {
    const decoder = new TextDecoder(encoding);
    const encoder = new TextEncoder();
    for await (const chunk of all) yield encoder.encode(decoder.decode(chunk, { stream: true }));
    yield encoder.encode(decoder.decode());
    return;
  }
  let toDrop = UTF8_MARK.equals(head) ? UTF8_MARK.length : 0;
  for await (const chunk of all) {
    const dropped = Math.min(toDrop, chunk.byteLength);
    toDrop -= dropped;
    yield dropped === 0 ? chunk : chunk.subarray(dropped);
  }
}

function findUtf16([first, second]: Uint8Array): Utf16 | undefined {
  if (first === undefined || second === undefined) return undefined;
  if ((first === 0xff && second === 0xfe) || (first !== 0 && second === 0)) return 'utf-16le';
  if ((first === 0xfe && second === 0xff) || (first === 0 && second !== 0)) return 'utf-16be';
  return undefined;
}
