// Reads the segments of a JPEG exactly as libjpeg does.

/** Markers (ITU-T T.81, table B.1). */
export const MARKER = {
  TEM: 0x01,
  BASELINE: 0xc0,
  EXTENDED: 0xc1,
  PROGRESSIVE: 0xc2,
  DHT: 0xc4,
  RST0: 0xd0,
  RST7: 0xd7,
  SOI: 0xd8,
  EOI: 0xd9,
  SOS: 0xda,
  APP0: 0xe0,
  APP14: 0xee,
} as const;

/** What the segments before the first scan say of the image. */
export interface Frame {
  isProgressive: boolean;
  components: number;
  /** Huffman tables that are defined: 0–3 for DC, 16–19 for AC. */
  tables: Set<number>;
}

/** A component in the header of a scan. */
export interface Scan {
  components: { id: number; dcTable: number; acTable: number }[];
  /** First and last coefficient (Ss, Se), and the bit position (Al). */
  first: number;
  last: number;
  low: number;
}

/**
 * Returns where libjpeg goes on behind a segment: behind the marker if it stands alone, and behind the two bytes of its length if that is
 * less than 2. `undefined` for the end of the image, a second start, and what is cut off.
 */
export function endOfSegment(
  file: Buffer,
  { marker, start }: { marker: number; start: number },
): number | undefined {
  if (marker === MARKER.TEM || (marker >= MARKER.RST0 && marker <= MARKER.RST7)) return start + 2;
  if (marker === MARKER.SOI || marker === MARKER.EOI || start + 4 > file.length) return undefined;
  const end = start + 2 + Math.max(2, file.readUInt16BE(start + 2));
  return end > file.length ? undefined : end;
}

/** Finds the next marker as libjpeg does: over all bytes up to one of 0xff that is followed neither by 0 nor by another 0xff. */
export function nextMarker(
  file: Buffer,
  from: number,
): { marker: number; start: number; skipped: number } | undefined {
  let start = file.indexOf(0xff, from);
  let skipped = start - from;
  while (start >= 0) {
    const marker = file[start + 1];
    if (marker === undefined) return undefined;
    if (marker !== 0 && marker !== 0xff) return { marker, start, skipped };
    if (marker === 0) skipped += 2;
    const next = file.indexOf(0xff, start + (marker === 0 ? 2 : 1));
    skipped += marker === 0 ? Math.max(0, next - start - 2) : 0;
    start = next;
  }
  return undefined;
}

export function readFrame(marker: number, segment: Buffer, frame: Frame): void {
  if (marker === MARKER.BASELINE || marker === MARKER.EXTENDED || marker === MARKER.PROGRESSIVE) {
    frame.isProgressive = marker === MARKER.PROGRESSIVE;
    frame.components = segment[9] ?? 0;
  }
  if (marker !== MARKER.DHT) return;
  for (let at = 4; at + 17 <= segment.length; ) {
    frame.tables.add(segment[at] as number);
    at += 17 + segment.subarray(at + 1, at + 17).reduce((sum, count) => sum + count, 0);
  }
}

export function readScan(segment: Buffer): Scan | undefined {
  const count = segment[4] ?? 0;
  if (segment.length !== 8 + 2 * count) return undefined;
  const components = Array.from({ length: count }, (_, index) => {
    const tables = segment[6 + 2 * index] as number;
    return { id: segment[5 + 2 * index] as number, dcTable: tables >> 4, acTable: 16 + (tables & 15) };
  });
  const at = segment.length - 3;
  const [first, last, approximation] = segment.subarray(at) as unknown as [number, number, number];
  return { components, first, last, low: approximation & 15 };
}

/** The data of a scan have no marker but restarts; a byte of 0xff in them is followed by 0. */
export function endOfScan(file: Buffer, from: number): { marker: number; start: number } | undefined {
  for (let start = file.indexOf(0xff, from); start >= 0; start = file.indexOf(0xff, start + 1)) {
    const marker = file[start + 1];
    if (marker === undefined) return undefined;
    const isData = marker === 0 || marker === 0xff || (marker >= MARKER.RST0 && marker <= MARKER.RST7);
    if (!isData) return { marker, start };
  }
  return undefined;
}

/** Whether all components have been sent, in a progressive image with all coefficients down to the last bit. */
export function isEveryScanThere(scans: readonly Scan[], { isProgressive, components }: Frame): boolean {
  const sent = new Map<number, number>();
  for (const scan of scans) {
    if (isProgressive && scan.low > 0) continue;
    const coefficients = isProgressive ? scan.last - scan.first + 1 : 64;
    for (const { id } of scan.components) sent.set(id, (sent.get(id) ?? 0) + coefficients);
  }
  return sent.size === components && [...sent.values()].every((coefficients) => coefficients >= 64);
}
