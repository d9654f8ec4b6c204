import { JPEG } from '../containers/jpeg-segments.ts';

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

export function readFrame(marker: number, segment: Buffer, frame: Frame): void {
  if (marker === JPEG.BASELINE || marker === JPEG.EXTENDED || marker === JPEG.PROGRESSIVE) {
    frame.isProgressive = marker === JPEG.PROGRESSIVE;
    frame.components = segment[9] ?? 0;
  }
  if (marker !== JPEG.DHT) return;
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
