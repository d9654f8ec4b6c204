import { EdgepressError } from '../../protocol/error.ts';
import { asBuffer } from '../containers/isobmff.ts';
import { JPEG, jpegSegments } from '../containers/jpeg-segments.ts';
import { blocksInUnit, unitsOf } from '../repair/jpeg-mcus.ts';
import { type JpegComponent, type JpegFrame, readFrameHeader } from '../repair/jpeg-structure.ts';

/**
 * A block takes libjpeg some 17 ns in each scan that goes over it, however few bytes the scan has. Those of 100 megapixels in full colours
 * are 4.7 million, and progressive images, which have ten to twenty scans, go over each some ten times at most.
 */
const MAX_BLOCKS = 100_000_000;

/**
 * Refuses a JPEG whose scans go over its blocks so often that decoding takes seconds for each megapixel: a valid file of 130 kB can take
 * minutes.
 *
 * An image that is sequential and has all components in its first scan costs nothing to look at: no other scan is read of it.
 *
 * @throws EdgepressError `source_too_large`
 */
export function assertJpegWork(bytes: Uint8Array): void {
  const file = asBuffer(bytes);
  let frame: JpegFrame | undefined;
  let [blocks, scans] = [0, 0];
  for (const { marker, start, end } of jpegSegments(file, 'skip')) {
    const segment = file.subarray(start + 4, end);
    if (!frame) frame = marker === JPEG.SCAN_DATA ? undefined : readFrameHeader(marker, segment);
    if (marker !== JPEG.SOS || !frame) continue;
    const components = scanComponents(frame, segment);
    if (!frame.isProgressive && scans === 0 && components.length === frame.components.length) return;
    scans++;
    blocks += unitsOf(frame, { components }) * blocksInUnit({ components });
    if (blocks > MAX_BLOCKS) throw tooMuchWork(frame, scans);
  }
}

/** The components that the header of a scan names (ITU-T T.81, B.2.3); those of all the frame if it names none that are there. */
function scanComponents(frame: JpegFrame, segment: Buffer): { component: JpegComponent }[] {
  const ids = Array.from({ length: segment[0] ?? 0 }, (_, index) => segment[1 + 2 * index]);
  const named = frame.components.filter(({ id }) => ids.includes(id));
  return (named.length > 0 ? named : frame.components).map((component) => ({ component }));
}

function tooMuchWork({ width, height }: JpegFrame, scans: number): EdgepressError {
  return new EdgepressError(
    'source_too_large',
    `The jpeg image of ${width}×${height} pixels has more scans than decoding may take time for: the first ${scans} of them exceed it`,
  );
}
