import type { TransferFunction } from './cicp.ts';
import { type IccProfile, interpolated, readCurve } from './icc-profile.ts';

/** A conversion of colours by a table of points between which it is interpolated. */
export interface ColourTable {
  /** A curve for each channel, before the table: both its values are from 0 to 1. */
  curves: readonly TransferFunction[];
  /** The number of points along each channel; the last channel varies fastest. */
  points: readonly number[];
  /** Returns XYZ relative to D50 of a point. */
  xyzAt(point: number): [number, number, number];
}

/** From the values of device channels to three values, both from 0 to 1. */
interface Stages {
  input: readonly TransferFunction[];
  grid: readonly number[];
  /** The table: the last channel varies fastest, and each point has three values. */
  samples: ArrayLike<number>;
  /** The largest value in the table. */
  scale: number;
  output: readonly TransferFunction[];
}

/** The white of the connection space, D50. */
export const CONNECTION_WHITE = [0.9642, 1, 0.8249] as const;

/**
 * Reads the table of an ICC profile for perceptual rendering, its `A2B0`, without its matrix stage, which printers' profiles have no use
 * for.
 *
 * @param channels - of a pixel
 * @returns `undefined` if there is none, or it is damaged
 */
export function readTable(profile: IccProfile, channels: number): ColourTable | undefined {
  const element = profile.tag('A2B0') ?? profile.tag('A2B1');
  if (!element || element.readUInt8(8) !== channels || element.readUInt8(9) !== 3) return undefined;
  try {
    const type = element.toString('latin1', 0, 4);
    const stages = type === 'mAB ' ? readLutAToB(element) : readLut(element, type);
    if (stages?.grid.some((points) => points < 2)) return undefined;
    return stages && colourTable(stages, type === 'mft2', profile.connectionSpace);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** `lut8Type` and `lut16Type` (sections 10.10 and 10.11). */
function readLut(element: Buffer, type: string): Stages | undefined {
  const bytes = type === 'mft1' ? 1 : 2;
  if (type !== 'mft1' && type !== 'mft2') return undefined;
  const channels = element.readUInt8(8);
  const grid = new Array<number>(channels).fill(element.readUInt8(10));
  const [inputEntries, outputEntries] =
    bytes === 1 ? [256, 256] : [element.readUInt16BE(48), element.readUInt16BE(50)];
  const scale = 2 ** (8 * bytes) - 1;
  let at = bytes === 1 ? 48 : 52;
  const read = (count: number) => {
    const samples = readSamples(element, at, count, bytes);
    at += count * bytes;
    return samples;
  };
  const curve = (entries: number) => interpolated(read(entries).map((sample) => sample / scale));
  const input = grid.map(() => curve(inputEntries));
  const samples = read(3 * gridPoints(grid));
  const output = [0, 1, 2].map(() => curve(outputEntries));
  return { input, grid, samples, scale, output };
}

/** `lutAToBType` (section 10.12). */
function readLutAToB(element: Buffer): Stages | undefined {
  const channels = element.readUInt8(8);
  const [bAt, matrixAt, , tableAt, aAt] = [12, 16, 20, 24, 28].map((at) => element.readUInt32BE(at));
  if (!bAt || matrixAt || !tableAt || !aAt) return undefined;
  const input = readCurves(element, aAt, channels);
  const output = readCurves(element, bAt, 3);
  if (!input || !output) return undefined;
  const grid = [...element.subarray(tableAt, tableAt + channels)];
  const bytes = element.readUInt8(tableAt + 16) === 1 ? 1 : 2;
  const samples = readSamples(element, tableAt + 20, 3 * gridPoints(grid), bytes);
  return { input, grid, samples, scale: 2 ** (8 * bytes) - 1, output };
}

/** Curves follow each other at multiples of four bytes. */
function readCurves(element: Buffer, start: number, count: number): TransferFunction[] | undefined {
  const curves: TransferFunction[] = [];
  for (let at = start; curves.length < count; ) {
    const read = readCurve(element.subarray(at));
    if (!read) return undefined;
    curves.push(read.curve);
    at += Math.ceil(read.bytes / 4) * 4;
  }
  return curves;
}

function gridPoints(grid: readonly number[]): number {
  return grid.reduce((product, points) => product * points, 1);
}

function readSamples(element: Buffer, start: number, count: number, bytes: 1 | 2): Float64Array {
  if (count === 0 || start + count * bytes > element.length) throw new RangeError('the table is truncated');
  return Float64Array.from({ length: count }, (_, index) =>
    bytes === 1 ? element.readUInt8(start + index) : element.readUInt16BE(start + 2 * index),
  );
}

function colourTable(stages: Stages, isLegacy: boolean, connectionSpace: string): ColourTable {
  const { input, grid, samples, scale, output } = stages;
  const toXyz = connectionSpace === 'Lab ' ? labToXyz(isLegacy) : scaledXyz;
  const valueAt = (point: number, channel: number) =>
    (output[channel] as TransferFunction)((samples[3 * point + channel] as number) / scale);
  return {
    curves: input,
    points: grid,
    xyzAt: (point) => toXyz(valueAt(point, 0), valueAt(point, 1), valueAt(point, 2)),
  };
}

type ToXyz = (first: number, second: number, third: number) => [number, number, number];

/** Section 6.3.4.2; `lut16Type` has the encoding of version 2. */
function labToXyz(isLegacy: boolean): ToXyz {
  const scale = isLegacy ? 65_535 / 65_280 : 1;
  return (first, second, third) => {
    const lightness = (first * scale * 100 + 16) / 116;
    const a = (second * scale * 255 - 128) / 500;
    const b = (third * scale * 255 - 128) / 200;
    const [x, y, z] = CONNECTION_WHITE;
    return [x * fromLab(lightness + a), y * fromLab(lightness), z * fromLab(lightness - b)];
  };
}

/** Returns X, Y or Z, as a part of that of white, by the value that L*, a* and b* are linear in (CIE 15:2018, section 8.2.1). */
export function fromLab(value: number): number {
  return value > 6 / 29 ? value * value * value : (value - 16 / 116) * (108 / 841);
}

const scaledXyz: ToXyz = (...values) =>
  values.map((value) => (value * 65_535) / 32_768) as [number, number, number];
