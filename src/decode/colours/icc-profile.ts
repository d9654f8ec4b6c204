// Reads ICC profiles (ICC.1:2022) where libvips does not apply them as browsers do.

import type { TransferFunction } from './cicp.ts';

/** An ICC profile whose header and table of tags are sound. */
export interface IccProfile {
  /** The colour space of pixels, such as `RGB ` or `CMYK`. */
  space: string;
  /** The space that tables lead to, `XYZ ` or `Lab `. */
  connectionSpace: string;
  /** Returns the element of a tag. */
  tag(name: string): Buffer | undefined;
}

const HEADER_BYTES = 128;
/** The newest major version that browsers apply. */
const MAX_VERSION = 4;
/** Classes of profiles that lead from one device or connection space to another: those of images lead from pixels (section 7.2.5). */
const OTHER_CLASSES = ['link', 'abst', 'nmcl'];
/** The signature of its type. */
const MIN_TAG_BYTES = 4;
/** Profiles have some twenty. */
const MAX_TAGS = 100;

/** @returns `undefined` if the profile is truncated, of an unknown version, or not one of an image */
export function readIccProfile(bytes: Buffer): IccProfile | undefined {
  if (bytes.length < HEADER_BYTES + 4 || bytes.toString('latin1', 36, 40) !== 'acsp') return undefined;
  if (bytes.readUInt8(8) > MAX_VERSION || OTHER_CLASSES.includes(bytes.toString('latin1', 12, 16)))
    return undefined;
  const count = bytes.readUInt32BE(HEADER_BYTES);
  const end = HEADER_BYTES + 4 + 12 * count;
  if (bytes.readUInt32BE(0) > bytes.length || count > MAX_TAGS || end > bytes.length) return undefined;
  const tags = new Map<string, Buffer>();
  for (let at = HEADER_BYTES + 4; at < end; at += 12) {
    const from = bytes.readUInt32BE(at + 4);
    const length = bytes.readUInt32BE(at + 8);
    const to = from + length;
    if (length < MIN_TAG_BYTES || to > bytes.length) return undefined;
    tags.set(bytes.toString('latin1', at, at + 4), bytes.subarray(from, to));
  }
  return {
    space: bytes.toString('latin1', 16, 20),
    connectionSpace: bytes.toString('latin1', 20, 24),
    tag: (name) => tags.get(name),
  };
}

/** Whether a curve leads from dark to light, so that it can be that of an image. */
export function isPlausibleCurve(curve: TransferFunction): boolean {
  const [black, quarter, half, white] = [0, 0.25, 0.5, 1].map(curve) as [number, number, number, number];
  return black <= 0.2 && black <= quarter && quarter <= half && half < white && white >= 0.5 && white <= 2;
}

/**
 * Whether a profile of RGB can be applied: it has a table, or plausible curves and primaries. Others turn a picture white or black.
 *
 * @param bytes - of the profile
 */
export function isUsableRgbProfile(bytes: Buffer): boolean {
  const profile = readIccProfile(bytes);
  if (!profile) return false;
  if (profile.tag('A2B0') || profile.tag('A2B1')) return true;
  try {
    const curves = ['rTRC', 'gTRC', 'bTRC'].map((name) => readCurve(profile.tag(name) ?? NONE)?.curve);
    const luminances = ['rXYZ', 'gXYZ', 'bXYZ'].map((name) => readLuminance(profile.tag(name) ?? NONE));
    // The three make white, whose luminance is 1. Blue may have next to none.
    const sum = luminances.reduce((total, one) => total + one, 0);
    return sum > 0.8 && sum < 1.2 && curves.every((curve) => curve !== undefined && isPlausibleCurve(curve));
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

const NONE = Buffer.alloc(0);

/** Reads the Y of `XYZType` (section 10.31). */
function readLuminance(element: Buffer): number {
  return element.readInt32BE(12) / 65_536;
}

/** A curve and the length of its element. */
export interface IccCurve {
  curve: TransferFunction;
  bytes: number;
}

/**
 * Reads `curveType` or `parametricCurveType` (sections 10.6 and 10.18).
 *
 * @returns `undefined` for another type
 * @throws RangeError if the element is truncated
 */
export function readCurve(element: Buffer): IccCurve | undefined {
  switch (element.toString('latin1', 0, 4)) {
    case 'curv':
      return sampledCurve(element);
    case 'para':
      return parametricCurve(element);
    default:
      return undefined;
  }
}

function sampledCurve(element: Buffer): IccCurve {
  const count = element.readUInt32BE(8);
  const bytes = 12 + 2 * count;
  if (bytes > element.length) throw new RangeError('the curve ends beyond its element');
  if (count === 0) return { bytes, curve: (value) => value };
  if (count === 1) {
    const exponent = element.readUInt16BE(12) / 256;
    return { bytes, curve: (value) => value ** exponent };
  }
  const samples = Array.from({ length: count }, (_, index) => element.readUInt16BE(12 + 2 * index) / 65_535);
  return { bytes, curve: interpolated(samples) };
}

/** Returns the function through samples at equal distances from 0 to 1. */
export function interpolated(samples: ArrayLike<number>): TransferFunction {
  const last = samples.length - 1;
  return (value) => {
    const place = Math.min(1, Math.max(0, value)) * last;
    const index = Math.min(last - 1, Math.floor(place));
    const [before, after] = [samples[index] as number, samples[index + 1] as number];
    return before + (after - before) * (place - index);
  };
}

/** Numbers of parameters by function type. */
const PARAMETERS = [1, 3, 4, 5, 7];

function parametricCurve(element: Buffer): IccCurve | undefined {
  const type = element.readUInt16BE(8);
  const count = PARAMETERS[type];
  if (!count) return undefined;
  const numbers = Array.from({ length: count }, (_, index) => element.readInt32BE(12 + 4 * index) / 65_536);
  const [g = 1, a = 1, b = 0, c = 0] = numbers;
  // What each type adds above and below its threshold.
  const [d = type === 0 ? 0 : -b / a, e = type === 2 ? c : 0, f = type === 2 ? c : 0] = numbers.slice(4);
  const slope = type > 2 ? c : 0;
  // Browsers apply no curve that falls, or whose first part would end below 0.
  if (a < 0 || slope < 0 || d < 0) return undefined;
  const curve = (value: number) => (value >= d ? Math.max(0, a * value + b) ** g + e : slope * value + f);
  return { bytes: 12 + 4 * count, curve: (value) => Math.min(1, Math.max(0, curve(value))) };
}
