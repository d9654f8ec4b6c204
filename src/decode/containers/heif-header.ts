import type { Size } from '../size.ts';
import { primaryProperties } from './heif-properties.ts';
import { boxesIn, findBox } from './isobmff.ts';

/** The brand of a file whose pictures are a track (AV1 Image File Format, section 6.2); browsers play it if it is the major one. */
const SEQUENCE_BRAND = 'avis';

/** Whether a file is an AVIF image sequence. */
export function isAvifSequence(file: Buffer): boolean {
  return file.toString('latin1', 8, 12) === SEQUENCE_BRAND;
}

/** Whether all pictures of a file are in a track, so that there is no still to show. */
export function isOtherSequence(file: Buffer): boolean {
  return findBox(file, ['moov']) !== undefined && findBox(file, ['meta']) === undefined;
}

/**
 * Reads the size of the upright primary picture of a HEIF file from its properties (ISO/IEC 23008-12, section 6.5): libheif, as sharp has
 * it, refuses files with more than 256 items, and large photographs have an item for each tile.
 *
 * @returns `undefined` if the file is damaged
 */
export function readPrimarySize(file: Buffer): Size | undefined {
  const properties = primaryProperties(file);
  const extents = properties.find(({ type }) => type === 'ispe')?.content;
  if (!extents) return undefined;
  const [width, height] = [extents.readUInt32BE(4), extents.readUInt32BE(8)];
  const rotation = properties.find(({ type }) => type === 'irot')?.content;
  const isTurned = rotation !== undefined && rotation.readUInt8(0) % 2 === 1;
  return isTurned ? { width: height, height: width } : { width, height };
}

/** What a sequence says of its frames. */
export interface SequenceHeader extends Size {
  /** How long each frame is shown, in milliseconds. */
  delay: number[];
  /** How often it is played; 0 for ever. */
  loop: number;
}

/** More entries than frames are allowed need not be read. */
const MAX_SAMPLES = 100_000;
/** The width and height of a sample entry (ISO/IEC 14496-12, section 12.1.3) are behind the fields that all entries have. */
const SIZE_IN_ENTRY = 24;

/**
 * Reads the header of an AVIF image sequence from its first track of pictures.
 *
 * @returns `undefined` if the file is damaged
 */
export function readSequenceHeader(file: Buffer): SequenceHeader | undefined {
  const movie = findBox(file, ['moov']);
  const tracks = movie ? boxesIn(file, movie.start, movie.end).filter(({ type }) => type === 'trak') : [];
  const track = tracks.find(({ start, end }) => {
    const handler = findBox(file, ['mdia', 'hdlr'], start, end);
    return handler && file.toString('latin1', handler.start + 8, handler.start + 12) === 'pict';
  });
  if (!track) return undefined;
  const within = (...path: string[]) => findBox(file, path, track.start, track.end);
  const [media, times] = [within('mdia', 'mdhd'), within('mdia', 'minf', 'stbl', 'stts')];
  const entries = within('mdia', 'minf', 'stbl', 'stsd');
  if (!media || !times || !entries) return undefined;
  const [entry] = boxesIn(file, entries.start + 8, entries.end);
  if (!entry) return undefined;
  const timescale = file.readUInt32BE(media.start + (file[media.start] === 1 ? 20 : 12)) || 1;
  return {
    width: file.readUInt16BE(entry.start + SIZE_IN_ENTRY),
    height: file.readUInt16BE(entry.start + SIZE_IN_ENTRY + 2),
    delay: sampleDurations(file, times.start).map((duration) => Math.round((1000 * duration) / timescale)),
    loop: repetitions(file, within('edts', 'elst'), within('tkhd')),
  };
}

/** The decoding time to sample box (section 8.6.1.2): runs of samples with the same duration. */
function sampleDurations(file: Buffer, start: number): number[] {
  const durations: number[] = [];
  const runs = file.readUInt32BE(start + 4);
  for (let run = 0; run < runs && durations.length < MAX_SAMPLES; run++) {
    const count = Math.min(file.readUInt32BE(start + 8 + run * 8), MAX_SAMPLES);
    const duration = file.readUInt32BE(start + 12 + run * 8);
    for (let sample = 0; sample < count; sample++) durations.push(duration);
  }
  return durations;
}

/** The edit list repeats if its flag says so, for as long as the track lasts (AV1 Image File Format, section 3.5; section 8.6.6). */
function repetitions(file: Buffer, edits: Located | undefined, track: Located | undefined): number {
  if (!edits || !track || (file.readUInt8(edits.start + 3) & 1) === 0) return edits ? 1 : 0;
  const total = readDuration(file, track.start, 20, 28);
  const once = readDuration(file, edits.start, 8, 8);
  return total === undefined || !once ? 0 : Math.ceil(total / once);
}

type Located = { start: number };

/** @returns `undefined` for an indefinite duration, whose bits are all set */
function readDuration(file: Buffer, start: number, at: number, at64: number): number | undefined {
  if (file[start] !== 1) {
    const duration = file.readUInt32BE(start + at);
    return duration === 0xffffffff ? undefined : duration;
  }
  const duration = file.readBigUInt64BE(start + at64);
  return duration === 0xffffffffffffffffn ? undefined : Number(duration);
}
