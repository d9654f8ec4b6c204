import sharp from 'sharp';
import { chunk, numbers } from './png.ts';

/** A frame of an animated PNG: a picture in one colour, RGBA, and where and how it is drawn. */
export interface FrameOptions {
  colour: readonly [r: number, g: number, b: number, alpha: number];
  width: number;
  height: number;
  left?: number;
  top?: number;
  /** In milliseconds. */
  delay?: number;
  dispose?: 0 | 1 | 2;
  blend?: 0 | 1;
}

/**
 * Makes an animated PNG.
 *
 * @param still - the colour of a picture that decoders without animation show; by default they show the first frame
 */
export async function apng(
  size: { width: number; height: number },
  frames: readonly FrameOptions[],
  { loop = 0, still }: { loop?: number; still?: FrameOptions['colour'] } = {},
): Promise<Buffer> {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size.width, 0);
  header.writeUInt32BE(size.height, 4);
  // 8 bits, RGBA.
  header.set([8, 6], 8);
  const parts = [
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('acTL', numbers(frames.length), numbers(loop)),
  ];
  if (still) parts.push(chunk('IDAT', await compressed({ ...size, colour: still })));
  let sequence = 0;
  for (const [index, frame] of frames.entries()) {
    parts.push(chunk('fcTL', numbers(sequence++), frameControl(frame)));
    const data = await compressed(frame);
    if (index === 0 && !still) parts.push(chunk('IDAT', data));
    else parts.push(chunk('fdAT', numbers(sequence++), data));
  }
  return Buffer.concat([...parts, chunk('IEND')]);
}

function frameControl({
  width,
  height,
  left = 0,
  top = 0,
  delay = 100,
  dispose = 0,
  blend = 0,
}: FrameOptions) {
  const control = Buffer.alloc(22);
  for (const [index, value] of [width, height, left, top].entries()) control.writeUInt32BE(value, 4 * index);
  control.writeUInt16BE(delay, 16);
  control.writeUInt16BE(1000, 18);
  control.set([dispose, blend], 20);
  return control;
}

/** Returns the compressed pixels of a picture in one colour. */
async function compressed({ width, height, colour }: Pick<FrameOptions, 'width' | 'height' | 'colour'>) {
  const pixels = Buffer.alloc(width * height * 4);
  for (let at = 0; at < pixels.length; at += 4) pixels.set(colour, at);
  const png = await sharp(pixels, { raw: { width, height, channels: 4 } })
    .png({ palette: false })
    .toBuffer();
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  return Buffer.concat(parts);
}
