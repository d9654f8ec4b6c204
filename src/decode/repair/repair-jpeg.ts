import { EdgepressError } from '../../protocol/error.ts';
import { KeptParts } from '../containers/file-parts.ts';
import { asBuffer } from '../containers/isobmff.ts';
import { checkJpegScans } from './check-jpeg-scans.ts';
import { repairJpegSegments } from './repair-jpeg-segments.ts';

/** When scans are checked while somebody waits. */
interface CheckedScans {
  /** Up to this size always: reading them takes 20 ms for a megabyte, and 100 ms if they are progressive. */
  maxBytes: number;
  /** Otherwise if they look damaged. Damage is often a piece of zeros: so many do not follow each other in photographs. */
  hole: Buffer;
}

const SEQUENTIAL: CheckedScans = { maxBytes: 2 ** 20, hole: Buffer.alloc(24) };
/** The data of an area without detail are zeros. Decoders themselves find most damage, since they read all scans first. */
const PROGRESSIVE: CheckedScans = { maxBytes: 2 ** 18, hole: Buffer.alloc(128) };

/**
 * Repairs the harmless faults of a JPEG, and finds out whether its scans are whole where decoders do not.
 *
 * @param isThorough - whether the scans of large files are checked as well
 * @returns the same bytes if there is nothing to repair
 * @throws EdgepressError `source_corrupt` if the data of a scan are damaged
 */
export async function repairJpeg(bytes: Uint8Array, isThorough: boolean): Promise<Uint8Array> {
  const { bytes: repaired, scansAt, isProgressive, isEnded } = repairJpegSegments(bytes);
  if (scansAt === undefined) return repaired;
  const { maxBytes, hole } = isProgressive ? PROGRESSIVE : SEQUENTIAL;
  const isChecked =
    isThorough || bytes.length <= maxBytes || !isEnded || asBuffer(repaired).includes(hole, scansAt);
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
  const kept = new KeptParts(bytes);
  let at = 0;
  for (const [from, to] of report.strays) {
    kept.add(at, from);
    at = to;
  }
  kept.add(at, bytes.length);
  return kept.copy();
}

/** Whether a JPEG is one that decoders warn of, although it is not damaged, since most of its restart intervals are odd. */
export async function isOddJpeg(bytes: Uint8Array): Promise<boolean> {
  return (await checkJpegScans(bytes))?.isOddThroughout ?? false;
}
