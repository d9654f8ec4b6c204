/** In pixels. */
export interface Size {
  width: number;
  height: number;
}

/** By how much a picture shrinks to fit inside bounds: 1 when it does already, since nothing is ever enlarged. */
export function scaleInside(size: Size, bounds: Size): number {
  return Math.min(1, bounds.width / size.width, bounds.height / size.height);
}

/**
 * What a size becomes. It depends on the source alone, not on the steps in which its pixels get there, so that a variant
 * measures the same whatever it was made along with.
 */
export function scaled({ width, height }: Size, scale: number): Size {
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}
