import sharp from 'sharp';
import { type Encoding, REACH } from '../src/encode/encodings.ts';
import type { Format } from '../src/protocol/request.ts';

/** A hard image and what a request for it must end in. */
export interface Case {
  file: string;
  /** `image`, or the error codes that are right. */
  outcome: 'image' | string[];
  /** Upright, in pixels. */
  width?: number | undefined;
  height?: number | undefined;
  /** More than 1 where it moves. */
  frames: number;
  alpha: boolean;
}

const MOVING: readonly Encoding[] = ['webp', 'gif'];

/** Says in what an answer differs from what its case demands; nothing if it does not. */
export async function differences(
  expected: Case,
  source: Buffer,
  response: Response,
  asked: { format: Format; width: number },
): Promise<string[]> {
  if (!response.ok) {
    const { code, detail } = (await response.json()) as { code: string; detail: string };
    if (expected.outcome !== 'image' && expected.outcome.includes(code)) return [];
    return [`ended in ${response.status} ${code} (${detail}), not in ${expected.outcome}`];
  }
  const body = Buffer.from(await response.arrayBuffer());
  if (expected.outcome !== 'image') return [`ended in an image, not in ${expected.outcome}`];
  const image = await sharp(body, { animated: true }).metadata();
  const size = { width: image.width, height: image.pageHeight ?? image.height };
  return [
    typeDifference(response.headers.get('content-type'), asked.format, expected),
    sizeDifference(size, expected, asked.width),
    frameDifference(image.pages ?? 1, expected),
    await alphaDifference(image.hasAlpha, expected, source, asked.format),
  ].filter((difference) => difference !== undefined);
}

/** Whichever is smallest of what the client displays; of what moves, what can. */
function typeDifference(type: string | null, format: Format, { frames }: Case): string | undefined {
  const right = REACH[format].filter((encoding) => frames === 1 || MOVING.includes(encoding));
  if (right.some((encoding) => type === `image/${encoding}`)) return undefined;
  return `is ${type}, not image/${right.join(' or image/')}`;
}

function sizeDifference(
  { width, height }: { width: number; height: number },
  expected: Case,
  askedWidth: number,
): string | undefined {
  if (expected.width === undefined || expected.height === undefined) return undefined;
  const rightWidth = Math.min(askedWidth, expected.width);
  const rightHeight = Math.max(1, (expected.height * rightWidth) / expected.width);
  const isRight = width === rightWidth && Math.abs(height - rightHeight) <= 1;
  return isRight ? undefined : `is ${width}×${height}, not ${rightWidth}×${Math.round(rightHeight)}`;
}

/** Encoders merge neighbouring frames that are equal, so that fewer may come back, but never one alone. */
function frameDifference(frames: number, expected: Case): string | undefined {
  const isRight = expected.frames > 1 ? frames > 1 && frames <= expected.frames : true;
  return isRight ? undefined : `has ${frames} frames, not ${expected.frames}`;
}

async function alphaDifference(
  hasAlpha: boolean,
  expected: Case,
  source: Buffer,
  format: Format,
): Promise<string | undefined> {
  if (!expected.alpha || hasAlpha || format === 'jpeg') return undefined;
  // An encoder may drop a channel that makes nothing transparent.
  const { isOpaque } = await sharp(source).stats();
  return isOpaque ? undefined : 'has lost its transparency';
}
