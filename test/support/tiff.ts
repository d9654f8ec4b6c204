import { deflateSync } from 'node:zlib';

/** How the pixels of a generated TIFF are stored. Not every combination makes sense. */
export interface TiffRecipe {
  width: number;
  height: number;
  samples: number;
  bits: number;
  /** SampleFormat. */
  format: number;
  photometric: number;
  /** ExtraSamples; the tag is left out if it is `undefined`. */
  extra: readonly number[] | undefined;
  isPlanar: boolean;
  isTiled: boolean;
  isBig: boolean;
  isLittle: boolean;
  /** Pixels are compressed for 1 and 8 only: those of the other kinds are damaged. */
  compression: number;
  predictor: number;
  /** Whether the file ends within its pixels. */
  isShort: boolean;
}

/** More entries for a generated TIFF: a tag, its type and count, and the bytes of its values. */
export interface RawEntry {
  tag: number;
  type: number;
  count: number;
  data: Buffer;
}

const [SHORT, LONG] = [3, 4];
const TILE = 16;
const DEFLATE = 8;

/** Writes a TIFF with a gradient. The given entries replace those with the same tag, and come first if they are not to be sorted. */
// biome-ignore lint/complexity/noExcessiveCognitiveComplexity: a list of the parts of a file.
export function writeTiff(recipe: TiffRecipe, more: readonly RawEntry[] = [], isSorted = true): Buffer {
  const { width, height, samples, bits, isPlanar, isTiled, isBig, isLittle } = recipe;
  const wordBytes = isBig ? 8 : 4;
  const number = (value: number, bytes: number) => {
    const buffer = Buffer.alloc(bytes);
    if (bytes === 8)
      isLittle ? buffer.writeBigUInt64LE(BigInt(value)) : buffer.writeBigUInt64BE(BigInt(value));
    else isLittle ? buffer.writeUIntLE(value, 0, bytes) : buffer.writeUIntBE(value, 0, bytes);
    return buffer;
  };
  const numbers = (tag: number, type: number, values: readonly number[]): RawEntry => ({
    tag,
    type,
    count: values.length,
    data: Buffer.concat(values.map((value) => number(value, type === SHORT ? 2 : 4))),
  });
  const planes = isPlanar ? samples : 1;
  const perPlane = isPlanar ? 1 : samples;
  const [columns, rows] = isTiled ? [TILE, TILE] : [width, height];
  const parts = planes * (isTiled ? Math.ceil(width / TILE) * Math.ceil(height / TILE) : 1);
  const part = gradient(columns, rows, perPlane, bits, isLittle);
  const stored = recipe.compression === DEFLATE ? deflateSync(part) : part;
  const headerBytes = isBig ? 16 : 8;
  const pixels = Buffer.concat(Array.from({ length: parts }, () => stored));
  const kept = recipe.isShort ? pixels.subarray(0, pixels.length >> 1) : pixels;
  const offsets = Array.from({ length: parts }, (_, index) => headerBytes + index * stored.length);
  const lengths = offsets.map(() => stored.length);
  const own = [
    numbers(256, LONG, [width]),
    numbers(257, LONG, [height]),
    numbers(258, SHORT, Array(samples).fill(bits)),
    numbers(259, SHORT, [recipe.compression]),
    numbers(262, SHORT, [recipe.photometric]),
    ...(isTiled ? [] : [numbers(273, LONG, offsets)]),
    numbers(277, SHORT, [samples]),
    ...(isTiled ? [] : [numbers(278, LONG, [height]), numbers(279, LONG, lengths)]),
    numbers(284, SHORT, [isPlanar ? 2 : 1]),
    numbers(317, SHORT, [recipe.predictor]),
    ...(isTiled ? [numbers(322, SHORT, [TILE]), numbers(323, SHORT, [TILE])] : []),
    ...(isTiled ? [numbers(324, LONG, offsets), numbers(325, LONG, lengths)] : []),
    ...(recipe.extra ? [numbers(338, SHORT, recipe.extra)] : []),
    numbers(339, SHORT, Array(samples).fill(recipe.format)),
  ].filter(({ tag }) => !more.some((one) => one.tag === tag));
  const entries = isSorted ? [...own, ...more].sort((a, b) => a.tag - b.tag) : [...more, ...own];
  const directoryAt = headerBytes + kept.length;
  const directoryBytes = (isBig ? 8 : 2) + entries.length * (4 + 2 * wordBytes) + wordBytes;
  let dataAt = directoryAt + directoryBytes;
  const outside: Buffer[] = [];
  const written = entries.map(({ tag, type, count, data }) => {
    const value =
      data.length <= wordBytes
        ? Buffer.concat([data, Buffer.alloc(wordBytes - data.length)])
        : number(dataAt, wordBytes);
    if (data.length > wordBytes) {
      outside.push(data);
      dataAt += data.length;
    }
    return Buffer.concat([number(tag, 2), number(type, 2), number(count, wordBytes), value]);
  });
  const magic = Buffer.concat([Buffer.from(isLittle ? 'II' : 'MM'), number(isBig ? 43 : 42, 2)]);
  const header = isBig
    ? [magic, number(8, 2), number(0, 2), number(directoryAt, 8)]
    : [magic, number(directoryAt, 4)];
  return Buffer.concat([
    ...header,
    kept,
    number(entries.length, isBig ? 8 : 2),
    ...written,
    number(0, wordBytes),
    ...outside,
  ]);
}

/** Sample values from 0 to the largest, another gradient in each sample. */
function gradient(columns: number, rows: number, samples: number, bits: number, isLittle: boolean): Buffer {
  const rowBytes = Math.ceil((columns * samples * bits) / 8);
  const data = Buffer.alloc(rowBytes * rows);
  if (bits !== 8 && bits !== 16) return data.map((_, index) => (index * 37) & 255) as Buffer;
  const sampleBytes = bits / 8;
  for (let at = 0; at < columns * rows * samples; at++) {
    const sample = at % samples;
    const pixel = Math.floor(at / samples);
    const place = sample % 2 === 0 ? pixel % columns : Math.floor(pixel / columns);
    const level = Math.round((255 * place) / Math.max(1, columns, rows));
    const value = bits === 8 ? level : level * 257;
    if (isLittle) data.writeUIntLE(value, at * sampleBytes, sampleBytes);
    else data.writeUIntBE(value, at * sampleBytes, sampleBytes);
  }
  return data;
}
