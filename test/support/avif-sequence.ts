import sharp from 'sharp';
import { boxesIn, findBox } from '../../src/decode/containers/isobmff.ts';
import { box, fullBox, uint16, uint32 } from './heif.ts';

export interface SequenceFrame {
  colour: { r: number; g: number; b: number };
  /** In milliseconds. */
  delay: number;
}

/** The unit of durations: milliseconds. */
const TIMESCALE = 1000;
const MATRIX = Buffer.concat([0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000].map(uint32));

/**
 * Makes an AVIF image sequence: a track of pictures, as in a video.
 *
 * @param loop - how often it is played; 0 for ever
 */
export async function avifSequence(
  { width, height }: { width: number; height: number },
  frames: readonly SequenceFrame[],
  loop = 0,
): Promise<Buffer> {
  const stills = await Promise.all(
    frames.map(({ colour }) =>
      sharp({ create: { width, height, channels: 3, background: colour } })
        .avif({ quality: 90, effort: 0, chromaSubsampling: '4:2:0' })
        .toBuffer(),
    ),
  );
  const samples = stills.map((still) => contentOf(still, ['mdat']));
  const duration = frames.reduce((sum, { delay }) => sum + delay, 0);
  const ftyp = box('ftyp', Buffer.from('avis\0\0\0\0avismsf1miafMA1B', 'latin1'));
  const movieAt = (samplesAt: number) => {
    const table = box(
      'stbl',
      fullBox(
        'stsd',
        0,
        0,
        uint32(1),
        sampleEntry(width, height, contentOf(stills[0] as Buffer, ['meta', 'iprp', 'ipco', 'av1C'])),
      ),
      fullBox(
        'stts',
        0,
        0,
        uint32(frames.length),
        ...frames.flatMap(({ delay }) => [uint32(1), uint32(delay)]),
      ),
      fullBox('stsc', 0, 0, uint32(1), uint32(1), uint32(frames.length), uint32(1)),
      fullBox('stsz', 0, 0, uint32(0), uint32(frames.length), ...samples.map(({ length }) => uint32(length))),
      fullBox('stco', 0, 0, uint32(1), uint32(samplesAt)),
    );
    const reference = fullBox('dref', 0, 0, uint32(1), fullBox('url ', 0, 1));
    const whole = loop === 0 ? 0xffffffff : duration * loop;
    return box(
      'moov',
      fullBox(
        'mvhd',
        0,
        0,
        uint32(0),
        uint32(0),
        uint32(TIMESCALE),
        uint32(whole),
        uint32(0x10000),
        uint16(0x100),
        Buffer.alloc(10),
        MATRIX,
        Buffer.alloc(24),
        uint32(2),
      ),
      box(
        'trak',
        fullBox(
          'tkhd',
          0,
          1,
          uint32(0),
          uint32(0),
          uint32(1),
          uint32(0),
          uint32(whole),
          Buffer.alloc(16),
          MATRIX,
          uint32(width * 0x10000),
          uint32(height * 0x10000),
        ),
        box('edts', fullBox('elst', 0, 1, uint32(1), uint32(duration), uint32(0), uint32(0x10000))),
        box(
          'mdia',
          fullBox('mdhd', 0, 0, uint32(0), uint32(0), uint32(TIMESCALE), uint32(duration), uint32(0)),
          fullBox('hdlr', 0, 0, uint32(0), Buffer.from('pict', 'latin1'), Buffer.alloc(13)),
          box('minf', fullBox('vmhd', 0, 1, Buffer.alloc(8)), box('dinf', reference), table),
        ),
      ),
    );
  };
  const samplesAt = ftyp.length + movieAt(0).length + 8;
  return Buffer.concat([ftyp, movieAt(samplesAt), box('mdat', ...samples)]);
}

/** VisualSampleEntry of ISO/IEC 14496-12, section 12.1.3, for AV1. */
function sampleEntry(width: number, height: number, configuration: Buffer): Buffer {
  return box(
    'av01',
    Buffer.alloc(6),
    uint16(1),
    Buffer.alloc(16),
    uint16(width),
    uint16(height),
    uint32(0x480000),
    uint32(0x480000),
    uint32(0),
    uint16(1),
    Buffer.alloc(32),
    uint16(24),
    uint16(0xffff),
    box('av1C', configuration),
  );
}

function contentOf(file: Buffer, path: string[]): Buffer {
  const found = findBox(file, path) ?? boxesIn(file)[0];
  return file.subarray(found?.start, found?.end);
}
