import type { BlockPlan } from './jpeg-blocks.ts';
import type { JpegComponent, JpegFrame, JpegScan } from './jpeg-structure.ts';

// The blocks of a scan of a JPEG, and how large their coefficients can be.

/**
 * Coefficients of samples of p bits are at most 2 to the power of p + 2 (ITU-T T.81, A.3.3). Encoders overshoot it a little where they
 * round, and more in AC coefficients where they sharpen.
 */
const DC_TOLERANCE = 1.1;
const AC_TOLERANCE = 1.5;

/** The blocks of an MCU (ITU-T T.81, A.2): one in a scan with one component, else as many as the sampling factors say. */
export function planMcu({ precision }: JpegFrame, { components, low }: JpegScan): BlockPlan[] {
  const none = new Uint16Array(0);
  return components.flatMap(({ component, dc, ac, steps }, slot) => {
    const count = blocksOf(component, components.length);
    const maxDc = (DC_TOLERANCE * 2 ** (precision + 2)) / ((steps?.[0] || 1) * 2 ** low) + 1;
    const maxBits = largestSizes(precision, low, steps);
    return Array.from({ length: count }, () => ({ slot, dc: dc ?? none, ac: ac ?? none, maxDc, maxBits }));
  });
}

/** Returns how many bits each quantised coefficient has at most. The DC coefficient is stored as a difference, which has one more. */
function largestSizes(precision: number, low: number, steps: Uint16Array | undefined): Uint8Array {
  return Uint8Array.from({ length: 64 }, (_, k) => {
    const step = (steps?.[k] || 1) * 2 ** low;
    const largest = (AC_TOLERANCE * 2 ** (precision + 2)) / step + 1;
    return k === 0 ? precision + 3 : Math.floor(Math.log2(largest)) + 1;
  });
}

/** Returns the number of blocks that a component has in an MCU. */
function blocksOf({ horizontal, vertical }: JpegComponent, componentsInScan: number): number {
  return componentsInScan === 1 ? 1 : horizontal * vertical;
}

/** The components of a scan. */
export interface ScanOfComponents {
  components: readonly { component: JpegComponent }[];
}

/** Returns the number of blocks in an MCU of a scan; 1 if the scan has one component. */
export function blocksInUnit({ components }: ScanOfComponents): number {
  return components.reduce((sum, { component }) => sum + blocksOf(component, components.length), 0);
}

/** Returns the number of MCUs of a scan (A.2.2 and A.2.3). */
export function unitsOf({ width, height, components }: JpegFrame, scan: ScanOfComponents): number {
  const maxHorizontal = Math.max(...components.map(({ horizontal }) => horizontal));
  const maxVertical = Math.max(...components.map(({ vertical }) => vertical));
  const [only] = scan.components;
  if (!only || scan.components.length > 1)
    return Math.ceil(width / (8 * maxHorizontal)) * Math.ceil(height / (8 * maxVertical));
  const { horizontal, vertical } = only.component;
  const across = Math.ceil((width * horizontal) / maxHorizontal);
  const down = Math.ceil((height * vertical) / maxVertical);
  return Math.ceil(across / 8) * Math.ceil(down / 8);
}
