/** Where and how a frame is drawn, as `fcTL` describes it (PNG, third edition, section 11.3.3.3). */
export interface FrameArea {
  width: number;
  height: number;
  left: number;
  top: number;
  dispose: 'none' | 'background' | 'previous';
  blend: 'source' | 'over';
}

/** What a player of animated PNG draws on: RGBA with straight alpha, at first transparent. */
export interface Canvas {
  width: number;
  pixels: Buffer;
}

const CHANNELS = 4;

export function createCanvas(width: number, height: number): Canvas {
  return { width, pixels: Buffer.alloc(width * height * CHANNELS) };
}

/**
 * Draws a frame, copies the canvas as it is then, and disposes of the frame.
 *
 * @param pixels - of the frame, RGBA
 * @param shown - where the canvas is copied to
 */
export function compose(canvas: Canvas, frame: FrameArea, pixels: Buffer, shown: Buffer): void {
  const before = frame.dispose === 'previous' ? Buffer.from(canvas.pixels) : undefined;
  forEachRow(canvas, frame, (row, y) => {
    const drawn = pixels.subarray(y * row.length, (y + 1) * row.length);
    if (frame.blend === 'source') row.set(drawn);
    else blendOver(row, drawn);
  });
  shown.set(canvas.pixels);
  if (frame.dispose === 'background') forEachRow(canvas, frame, (row) => row.fill(0));
  if (before) canvas.pixels.set(before);
}

/** Calls back with each row of the frame's part of the canvas. */
function forEachRow(
  { width, pixels }: Canvas,
  frame: FrameArea,
  work: (row: Buffer, y: number) => void,
): void {
  for (let y = 0; y < frame.height; y++) {
    const start = ((frame.top + y) * width + frame.left) * CHANNELS;
    work(pixels.subarray(start, start + frame.width * CHANNELS), y);
  }
}

/** Porter and Duff's "over" with straight alpha (PNG, third edition, section 13.16). */
function blendOver(below: Buffer, above: Buffer): void {
  for (let at = 0; at < above.length; at += CHANNELS) {
    const alpha = above[at + 3] as number;
    if (alpha === 0) continue;
    const rest = alpha === 255 ? 0 : ((below[at + 3] as number) * (255 - alpha)) / 255;
    const sum = alpha + rest;
    for (let channel = at; channel < at + 3; channel++)
      below[channel] = Math.round(
        ((above[channel] as number) * alpha + (below[channel] as number) * rest) / sum,
      );
    below[at + 3] = Math.round(sum);
  }
}
