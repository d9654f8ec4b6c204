import { EdgepressError } from '../../protocol/error.ts';
import { asBuffer } from '../containers/isobmff.ts';
import { checkJpegScans } from './check-jpeg-scans.ts';
import { repairJpegSegments } from './repair-jpeg-segments.ts';

/** While somebody waits, the scans of larger files are only checked if they look damaged: checking takes 20 ms for a megabyte. */
const ALWAYS_CHECKED_BYTES = 2 ** 20;
/** Damage is often a piece of zeros. Photographs have no more than 11 that follow each other. */
const HOLE = Buffer.alloc(24);

/**
 * Repairs the harmless faults of a JPEG, and finds out whether its scans are whole where decoders do not.
 *
 * @param isThorough - whether the scans of large files are checked as well
 * @returns the same bytes if there is nothing to repair
 * @throws EdgepressError `source_corrupt` if the data of a scan are damaged
 */
export async function repairJpeg(bytes: Uint8Array, isThorough: boolean): Promise<Uint8Array> {
  const { bytes: repaired, scansAt, isEnded } = repairJpegSegments(bytes);
  if (scansAt === undefined) return repaired;
  const isSuspicious = !isEnded || asBuffer(repaired).includes(HOLE, scansAt);
  const isChecked = isThorough || isSuspicious || bytes.length <= ALWAYS_CHECKED_BYTES;
  return isChecked ? await repairJpegScans(repaired) : repaired;
}

/**
 * Checks the scans of a JPEG, and takes out bytes that follow their data.
 *
 * @throws EdgepressError `source_corrupt` if the data of a scan are damaged
 */
export async function repairJpegScans(bytes: Uint8Array): Promise<Uint8Array> {
  const report = await checkJpegScans(bytes);
  if (!report || report.isOddThroughout) return bytes;
  if (!report.isWhole)
    throw new EdgepressError(
      'source_corrupt',
      'The jpeg image is damaged: pieces of its data are missing or overwritten',
    );
  if (report.strays.length === 0) return bytes;
  const starts = [0, ...report.strays.map(([, to]) => to)];
  const ends = [...report.strays.map(([from]) => from), bytes.length];
  return Buffer.concat(starts.map((from, index) => bytes.subarray(from, ends[index])));
}

/** Whether a JPEG is one that decoders warn of, although it is not damaged, since most of its restart intervals are odd. */
export async function isOddJpeg(bytes: Uint8Array): Promise<boolean> {
  return (await checkJpegScans(bytes))?.isOddThroughout ?? false;
}
