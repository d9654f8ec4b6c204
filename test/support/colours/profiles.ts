import { iccProfile, PRIMARIES, parametricCurve, sampledCurve, weakColoursTable } from '../icc.ts';

const rgb = (primaries: keyof typeof PRIMARIES, gamma: number) =>
  iccProfile({ space: 'RGB ', primaries: PRIMARIES[primaries], gamma });
const ofCurve = (curve: Buffer, version = 2) => iccProfile({ space: 'RGB ', curve, version });
const ofClass = (deviceClass: string) => iccProfile({ space: 'RGB ', gamma: 1, deviceClass });

export const DISPLAY_P3 = rgb('displayP3', 2.2);
export const ADOBE_RGB = rgb('adobeRgb', 2.2);
export const PRO_PHOTO = rgb('proPhoto', 1.8);
export const LINEAR = rgb('srgb', 1);
export const GREY = iccProfile({ space: 'GRAY', gamma: 1.8 });
export const TRUNCATED = iccProfile({ space: 'RGB ', gamma: 1, extraBytes: 1000 });
/** Lighter than its numbers, and pale. */
export const TABLE = iccProfile({
  space: 'RGB ',
  deviceClass: 'scnr',
  connectionSpace: 'Lab ',
  tags: [['A2B0', weakColoursTable((grey) => grey ** 0.8)]],
});

/** Profiles that are applied, by name. */
export const PROFILES: Readonly<Record<string, Buffer>> = {
  'Display P3': DISPLAY_P3,
  'Adobe RGB': ADOBE_RGB,
  ProPhoto: PRO_PHOTO,
  'linear light': LINEAR,
  'a table': TABLE,
  'a curve of 33 samples': ofCurve(sampledCurve((value) => value ** 1.5, 33)),
  'a curve of 1024 samples': ofCurve(sampledCurve((value) => value ** 2.6, 1024)),
  'a parametric curve of type 0': ofCurve(parametricCurve(0, [1.4]), 4),
  'a parametric curve of type 1': ofCurve(parametricCurve(1, [2, 1.1, -0.1]), 4),
  'a parametric curve of type 2': ofCurve(parametricCurve(2, [2, 1.1, -0.1, 0]), 4),
  'a parametric curve of type 3': ofCurve(parametricCurve(3, [1.8, 0.9, 0.1, 0.2, 0.05]), 4),
  'no samples in its curve': ofCurve(Buffer.from('curv\0\0\0\0\0\0\0\0\0', 'latin1')),
  'the class of a printer': ofClass('prtr'),
  'the class of a scanner': ofClass('scnr'),
  'the class of a colour space': ofClass('spac'),
};

const FIRST_TAG = 132;
const TAG_BYTES = 12;

function broken(change: (bytes: Buffer) => void): Buffer {
  const copy = Buffer.from(LINEAR);
  change(copy);
  return copy;
}

const renamed = (tag: number) =>
  broken((bytes) => bytes.write('xxxx', FIRST_TAG + TAG_BYTES * tag, 'latin1'));
const withTable = (table: string) =>
  iccProfile({ space: 'RGB ', gamma: 1, tags: [['A2B0', Buffer.from(table, 'latin1')]] });

/** Profiles with a fault, by what that is. Browsers ignore most of them. */
export const FAULTY_PROFILES: Readonly<Record<string, Buffer>> = {
  'fewer bytes than it says': TRUNCATED,
  'more bytes than it says': Buffer.concat([LINEAR, Buffer.alloc(500)]),
  'nothing but zeros': Buffer.alloc(300),
  'another signature': broken((bytes) => bytes.write('acsq', 36, 'latin1')),
  'version 0': broken((bytes) => bytes.writeUInt8(0, 8)),
  'version 5': iccProfile({ space: 'RGB ', gamma: 1, version: 5 }),
  'more tags than it has': broken((bytes) => bytes.writeUInt32BE(99, 128)),
  'no white': renamed(0),
  'no curve of red': renamed(1),
  'no primary of red': renamed(4),
  'a curve beyond its end': broken((bytes) => bytes.writeUInt32BE(99_999, FIRST_TAG + TAG_BYTES + 4)),
  'an unneeded tag beyond its end': broken((bytes) => bytes.writeUInt32BE(99_999, FIRST_TAG + 4)),
  'an unneeded tag without bytes': broken((bytes) => bytes.writeUInt32BE(0, FIRST_TAG + 8)),
  'a curve of an unknown type': ofCurve(Buffer.from('xxxx\0\0\0\0\0\0\0\0', 'latin1')),
  'a curve that begins below 0': ofCurve(parametricCurve(1, [2, 0.9, 0.1]), 4),
  'tags of ones': broken((bytes) => bytes.fill(255, 128)),
  'tags of zeros': broken((bytes) => bytes.fill(0, 128)),
  'the colour space Lab': broken((bytes) => bytes.write('Lab ', 16, 'latin1')),
  'the colour space CMYK': broken((bytes) => bytes.write('CMYK', 16, 'latin1')),
  'the connection space Luv': broken((bytes) => bytes.write('Luv ', 20, 'latin1')),
  'the connection space Lab, without a table': broken((bytes) => bytes.write('Lab ', 20, 'latin1')),
  'a table of an unknown type': withTable('xxxx\0\0\0\0\0\0\0\0'),
  'an empty table': withTable('mft2\0\0\0\0\0\0\0\0\0'),
};
