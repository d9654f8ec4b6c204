import { GIF, gifBlocks } from '../containers/gif-blocks.ts';
import { unusedGifColour } from './gif-pixels.ts';

/** What becomes of a frame before the next one is drawn (GIF89a specification, section 23). */
const DISPOSAL = { BACKGROUND: 2, PREVIOUS: 3 };
const TRANSPARENT = 1;
/** A graphic control extension that says nothing. */
const NO_CONTROL = [GIF.EXTENSION, GIF.GRAPHIC_CONTROL, 4, 0, 0, 0, 0, 0];
/** Where the flags and the transparent colour are in it. */
const [FLAGS, COLOUR] = [3, 6];

interface GifFrame {
  /** Where its image block begins. */
  at: number;
  /** Where its graphic control extension begins, if it has one. */
  control: number | undefined;
  rectangle: Rectangle;
  disposal: number;
  hasTransparency: boolean;
}

interface Rectangle {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/**
 * Makes the gaps of a GIF transparent, as all browsers show them: what the first frame leaves free, and what a frame leaves that is disposed
 * of. libvips fills them with the background colour, or black, if the frame has no transparent colour. So each frame with such a gap gets
 * one that none of its pixels has.
 *
 * @returns the same bytes if there is no gap, or a frame has all 256 colours
 */
export function withTransparentGaps(bytes: Uint8Array): Uint8Array {
  const frames = readFrames(bytes);
  const opaque = frames.filter((frame, index) => !frame.hasTransparency && leavesGap(frames, index, bytes));
  const changes = opaque.flatMap((frame) => {
    const colour = unusedGifColour(bytes, frame.at);
    return colour === undefined ? [] : [{ frame, colour }];
  });
  if (changes.length === 0) return bytes;
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const { frame, colour } of changes) {
    const { control, at } = frame;
    const changed =
      control === undefined ? Buffer.from(NO_CONTROL) : Buffer.from(bytes.subarray(control, at));
    changed[FLAGS] = (changed[FLAGS] as number) | TRANSPARENT;
    changed[COLOUR] = colour;
    parts.push(bytes.subarray(from, control ?? at), changed);
    from = at;
  }
  return Buffer.concat([...parts, bytes.subarray(from)]);
}

function readFrames(bytes: Uint8Array): GifFrame[] {
  const frames: GifFrame[] = [];
  let control: number | undefined;
  for (const { kind, label, range } of gifBlocks(bytes)) {
    const [at] = range;
    if (kind === 'extension' && label === GIF.GRAPHIC_CONTROL) control = at;
    if (kind !== 'image') continue;
    const flags = control === undefined ? 0 : (bytes[control + FLAGS] ?? 0);
    const [left, top] = [numberAt(bytes, at + 1), numberAt(bytes, at + 3)];
    frames.push({
      at,
      control,
      rectangle: { left, top, right: left + numberAt(bytes, at + 5), bottom: top + numberAt(bytes, at + 7) },
      disposal: (flags >> 2) & 7,
      hasTransparency: (flags & TRANSPARENT) !== 0,
    });
    control = undefined;
  }
  return frames;
}

function leavesGap(frames: readonly GifFrame[], index: number, bytes: Uint8Array): boolean {
  const [frame, next] = [frames[index] as GifFrame, frames[index + 1]];
  const screen = { left: 0, top: 0, right: numberAt(bytes, 6), bottom: numberAt(bytes, 8) };
  if (index === 0 && !contains(frame.rectangle, screen)) return true;
  // What was there before the first frame is a gap, too.
  const isDisposed =
    frame.disposal === DISPOSAL.BACKGROUND || (index === 0 && frame.disposal === DISPOSAL.PREVIOUS);
  const isDrawnOver =
    next !== undefined && !next.hasTransparency && contains(next.rectangle, frame.rectangle);
  return isDisposed && next !== undefined && !isDrawnOver;
}

function contains(outer: Rectangle, inner: Rectangle): boolean {
  return (
    outer.left <= inner.left &&
    outer.top <= inner.top &&
    outer.right >= inner.right &&
    outer.bottom >= inner.bottom
  );
}

function numberAt(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
}
