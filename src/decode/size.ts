/** In pixels. */
export interface Size {
  width: number;
  height: number;
}

/** Returns the factor by which an image shrinks to fit into bounds: at most 1, since images are never enlarged. */
export function scaleInside(size: Size, bounds: Size): number {
  return Math.min(1, bounds.width / size.width, bounds.height / size.height);
}

/**
 * Returns a size multiplied by a factor, in whole pixels. Always apply it to the size of the source, not to an intermediate size, so that a
 * variant measures the same whatever other variants are made with it.
 */
export function scaled({ width, height }: Size, scale: number): Size {
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Returns the largest size with even sides within a size; a side of 1 stays. */
export function evenSize({ width, height }: Size): Size {
  return { width: evenSide(width), height: evenSide(height) };
}

function evenSide(side: number): number {
  return Math.max(1, side - (side % 2));
}
