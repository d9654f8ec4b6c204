interface ProfileParts {
  /** `RGB ` or `GRAY`. */
  space: 'RGB ' | 'GRAY';
  /** The exponent of the curve. */
  gamma?: number;
  /** The luminances of red, green and blue; sRGB's by default. */
  luminances?: readonly [number, number, number];
  deviceClass?: string;
  version?: number;
  /** Added to the size that the header says. */
  extraBytes?: number;
}

/** XYZ of the primaries of sRGB relative to D50. */
const SRGB_XYZ = [
  [0.4361, 0.2225, 0.0139],
  [0.3851, 0.7169, 0.0971],
  [0.1431, 0.0606, 0.7141],
] as const;

/** Builds an ICC profile with a curve, and for RGB with primaries (ICC.1:2022, sections 7 to 10). */
export function iccProfile(parts: ProfileParts): Buffer {
  const { space, gamma = 2.2, deviceClass = 'mntr', version = 2, extraBytes = 0 } = parts;
  const curve = Buffer.alloc(16);
  curve.write('curv', 0, 'latin1');
  curve.writeUInt32BE(1, 8);
  curve.writeUInt16BE(Math.round(gamma * 256), 12);
  const primaries = SRGB_XYZ.map(([x, y, z], index) => xyz(x, parts.luminances?.[index] ?? y, z));
  const [red, green, blue] = primaries as [Buffer, Buffer, Buffer];
  const white = xyz(0.9642, 1, 0.8249);
  const tags: [string, Buffer][] =
    space === 'GRAY'
      ? [
          ['wtpt', white],
          ['kTRC', curve],
        ]
      : [
          ['wtpt', white],
          ...(['rTRC', 'gTRC', 'bTRC'] as const).map((name): [string, Buffer] => [name, curve]),
          ['rXYZ', red],
          ['gXYZ', green],
          ['bXYZ', blue],
        ];
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
  header.write(`${deviceClass + space}XYZ `, 12, 'latin1');
  header.write('acsp', 36, 'latin1');
  header.writeUInt32BE(Math.round(0.9642 * 65_536), 68);
  header.writeUInt32BE(65_536, 72);
  header.writeUInt32BE(Math.round(0.8249 * 65_536), 76);
  return Buffer.concat([header, table, ...tags.map(([, element]) => element)]);
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
