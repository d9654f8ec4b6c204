/** Entropy-coded data between two markers, without stuffed bytes. */
export interface EntropyData {
  /** With zeros behind the end, so that a reader need not look for it in each step. */
  bytes: Uint8Array;
  bits: number;
  /** Where they end in the file. */
  end: number;
}

const READ_AHEAD_BYTES = 8;

/** Splits the data of a scan at its restart markers. */
export function* entropyIntervals(
  file: Buffer,
  [from, to]: readonly [number, number],
): Generator<EntropyData> {
  let start = from;
  for (let at = file.indexOf(0xff, from); at >= 0 && at < to; at = file.indexOf(0xff, at + 1)) {
    const marker = file[at + 1] as number;
    if (marker < 0xd0 || marker > 0xd7) continue;
    yield withoutStuffing(file, start, at);
    start = at + 2;
  }
  yield withoutStuffing(file, start, to);
}

/** Takes out the zeros that follow bytes of 0xff (ITU-T T.81, F.1.2.3), and fill bytes before a marker. */
function withoutStuffing(file: Buffer, from: number, to: number): EntropyData {
  const bytes = Buffer.allocUnsafe(to - from + READ_AHEAD_BYTES);
  let [length, start] = [0, from];
  for (let at = file.indexOf(0xff, from); at >= 0 && at < to; at = file.indexOf(0xff, at + 1)) {
    const end = file[at + 1] === 0 ? at + 1 : at;
    length += file.copy(bytes, length, start, end);
    start = at + (file[at + 1] === 0 ? 2 : 1);
  }
  if (start < to) length += file.copy(bytes, length, start, to);
  bytes.fill(0, length, length + READ_AHEAD_BYTES);
  return { bytes: bytes.subarray(0, length + READ_AHEAD_BYTES), bits: 8 * length, end: to };
}
