import type { Size } from '../../src/decode/size.ts';

interface ProfileParts {
  /** `RGB ` or `GRAY`. */
  space: 'RGB ' | 'GRAY';
  /** The exponent of the curve. */
  gamma?: number;
  /** The curve, in place of one with an exponent. */
  curve?: Buffer;
  /** More tags, such as tables. */
  tags?: readonly (readonly [name: string, element: Buffer])[];
  connectionSpace?: 'XYZ ' | 'Lab ';
  /** XYZ of red, green and blue, relative to D50; sRGB's by default. */
  primaries?: Xyz[];
  /** The luminances of red, green and blue, in place of those in `primaries`. */
  luminances?: readonly [number, number, number];
  deviceClass?: string;
  version?: number;
  /** Added to the size that the header says. */
  extraBytes?: number;
}

type Xyz = readonly [x: number, y: number, z: number];

/** XYZ of primaries relative to D50. */
export const PRIMARIES = {
  srgb: [
    [0.4361, 0.2225, 0.0139],
    [0.3851, 0.7169, 0.0971],
    [0.1431, 0.0606, 0.7141],
  ],
  displayP3: [
    [0.5151, 0.2412, -0.0011],
    [0.292, 0.6922, 0.0419],
    [0.1571, 0.0666, 0.7841],
  ],
  adobeRgb: [
    [0.6097, 0.3111, 0.0195],
    [0.2053, 0.6257, 0.0609],
    [0.1492, 0.0632, 0.7446],
  ],
  proPhoto: [
    [0.7977, 0.288, 0],
    [0.1352, 0.7119, 0],
    [0.0314, 0.0001, 0.8249],
  ],
} satisfies Record<string, Xyz[]>;

/** Builds an ICC profile with a curve, and for RGB with primaries (ICC.1:2022, sections 7 to 10). */
export function iccProfile(parts: ProfileParts): Buffer {
  const { space, gamma = 2.2, deviceClass = 'mntr', version = 2, extraBytes = 0 } = parts;
  const { curve = exponentCurve(gamma), connectionSpace = 'XYZ ' } = parts;
  const primaries = (parts.primaries ?? PRIMARIES.srgb).map(([x, y, z], index) =>
    xyz(x, parts.luminances?.[index] ?? y, z),
  );
  const [red, green, blue] = primaries as [Buffer, Buffer, Buffer];
  const white = xyz(0.9642, 1, 0.8249);
  const ofSpace: [string, Buffer][] =
    space === 'GRAY'
      ? [['kTRC', curve]]
      : [
          ...(['rTRC', 'gTRC', 'bTRC'] as const).map((name): [string, Buffer] => [name, curve]),
          ['rXYZ', red],
          ['gXYZ', green],
          ['bXYZ', blue],
        ];
  const tags = [['wtpt', white] as const, ...ofSpace, ...(parts.tags ?? [])];
  const table = Buffer.alloc(4 + 12 * tags.length);
  table.writeUInt32BE(tags.length);
  let at = 128 + table.length;
  tags.forEach(([name, element], index) => {
    table.write(name, 4 + 12 * index, 'latin1');
    table.writeUInt32BE(at, 8 + 12 * index);
    table.writeUInt32BE(element.length, 12 + 12 * index);
    at += element.length;
  });
  const header = Buffer.alloc(128);
  header.writeUInt32BE(at + extraBytes);
  header.writeUInt8(version, 8);
  header.write(deviceClass + space + connectionSpace, 12, 'latin1');
  header.write('acsp', 36, 'latin1');
  header.writeUInt32BE(Math.round(0.9642 * 65_536), 68);
  header.writeUInt32BE(65_536, 72);
  header.writeUInt32BE(Math.round(0.8249 * 65_536), 76);
  return Buffer.concat([header, table, ...tags.map(([, element]) => element)]);
}

/** A `curveType` with one exponent. */
function exponentCurve(gamma: number): Buffer {
  const curve = Buffer.alloc(16);
  curve.write('curv', 0, 'latin1');
  curve.writeUInt32BE(1, 8);
  curve.writeUInt16BE(Math.round(gamma * 256), 12);
  return curve;
}

/** A `curveType` with samples at equal distances (section 10.6). */
export function sampledCurve(light: (value: number) => number, count: number): Buffer {
  const curve = Buffer.alloc(12 + 2 * count + ((2 * count) & 2));
  curve.write('curv', 0, 'latin1');
  curve.writeUInt32BE(count, 8);
  for (let index = 0; index < count; index++)
    curve.writeUInt16BE(Math.round(light(index / (count - 1)) * 65_535), 12 + 2 * index);
  return curve;
}

/** A `parametricCurveType` (section 10.18). */
export function parametricCurve(type: number, parameters: readonly number[]): Buffer {
  const curve = Buffer.alloc(12 + 4 * parameters.length);
  curve.write('para', 0, 'latin1');
  curve.writeUInt16BE(type, 8);
  parameters.forEach((value, index) => {
    curve.writeInt32BE(Math.round(value * 65_536), 12 + 4 * index);
  });
  return curve;
}

/**
 * A `lut16Type` from RGB to L*a*b* (section 10.10), in the encoding of version 2: its grey axis has this lightness, and colours are weak.
 *
 * @param lightness - of a grey, both from 0 to 1
 */
export function weakColoursTable(lightness: (grey: number) => number, points = 9): Buffer {
  const values: number[] = [];
  for (let red = 0; red < points; red++)
    for (let green = 0; green < points; green++)
      for (let blue = 0; blue < points; blue++) {
        const [r, g, b] = [red, green, blue].map((point) => point / (points - 1)) as [number, number, number];
        values.push(lightness((r + 2 * g + b) / 4), 0.5 + (r - g) / 6, 0.5 + ((r + g) / 2 - b) / 6);
      }
  const head = Buffer.alloc(52);
  head.write('mft2', 0, 'latin1');
  head.set([3, 3, points], 8);
  for (const diagonal of [0, 4, 8]) head.writeInt32BE(65_536, 12 + 4 * diagonal);
  head.writeUInt16BE(2, 48);
  head.writeUInt16BE(2, 50);
  const identity = Buffer.from([0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
  const samples = Buffer.alloc(2 * values.length);
  values.forEach((value, index) => {
    samples.writeUInt16BE(Math.round(Math.min(1, Math.max(0, value)) * 65_280), 2 * index);
  });
  return Buffer.concat([head, identity, samples, identity]);
}

function xyz(x: number, y: number, z: number): Buffer {
  const element = Buffer.alloc(20);
  element.write('XYZ ', 0, 'latin1');
  [x, y, z].forEach((value, index) => {
    element.writeInt32BE(Math.round(value * 65_536), 8 + 4 * index);
  });
  return element;
}

/** Puts a profile into a JPEG. */
export function jpegWithProfile(jpeg: Buffer, profile: Buffer): Buffer {
  const content = Buffer.concat([Buffer.from('ICC_PROFILE\0\x01\x01', 'latin1'), profile]);
  const segment = Buffer.alloc(4);
  segment.writeUInt16BE(0xffe2);
  segment.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([jpeg.subarray(0, 2), segment, content, jpeg.subarray(2)]);
}

/** Puts a profile into a WebP of a still without metadata (WebP Container Specification). */
export function webpWithProfile(webp: Buffer, { width, height }: Size, profile: Buffer): Buffer {
  const extended = Buffer.alloc(10);
  // The flag of a profile.
  extended.writeUInt8(0x20);
  extended.writeUIntLE(width - 1, 4, 3);
  extended.writeUIntLE(height - 1, 7, 3);
  const chunks = [riffChunk('VP8X', extended), riffChunk('ICCP', profile), webp.subarray(12)];
  return riffChunk('RIFF', Buffer.concat([Buffer.from('WEBP', 'latin1'), ...chunks]));
}

function riffChunk(type: string, content: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.write(type, 'latin1');
  header.writeUInt32LE(content.length, 4);
  return Buffer.concat([header, content, Buffer.alloc(content.length & 1)]);
}
