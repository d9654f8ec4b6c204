import sharp from 'sharp';
import { DISPLAYABLE_ENCODINGS, type Encoding } from '../../src/encode/encodings.ts';
import type { Format } from '../../src/protocol/request.ts';

/** An image that is hard to process, and the expected result of a request for it. */
export interface Case {
  file: string;
  /** `image`, or the error codes that are accepted. */
  outcome: 'image' | string[];
  /** Of the image in its upright orientation, in pixels. */
  width?: number | undefined;
  height?: number | undefined;
  /** More than 1 for an animated image. */
  frames: number;
  alpha: boolean;
}

const ANIMATED_ENCODINGS: readonly Encoding[] = ['webp', 'gif'];

/** Compares a response with the expected result. Returns a text for each difference. */
export async function findDifferences(
  expected: Case,
  source: Buffer,
  response: Response,
  requested: { format: Format; width: number },
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
    typeDifference(response.headers.get('content-type'), requested.format, expected),
    sizeDifference(size, expected, requested, body.byteLength <= source.byteLength),
    frameDifference(image.pages ?? 1, expected),
    await alphaDifference(image.hasAlpha, expected, source, requested.format),
  ].filter((difference) => difference !== undefined);
}

/** Any encoding that the client displays is right, because the smallest is sent; for an animated image, any that is animated. */
function typeDifference(type: string | null, format: Format, { frames }: Case): string | undefined {
  const accepted = DISPLAYABLE_ENCODINGS[format].filter(
    (encoding) => frames === 1 || ANIMATED_ENCODINGS.includes(encoding),
  );
  if (accepted.some((encoding) => type === `image/${encoding}`)) return undefined;
  return `is ${type}, not image/${accepted.join(' or image/')}`;
}

/** @param canBeOriginal - the original, or all of its pixels, may be sent in place of a narrower variant that has more bytes */
function sizeDifference(
  { width, height }: { width: number; height: number },
  expected: Case,
  requested: { format: Format; width: number },
  canBeOriginal: boolean,
): string | undefined {
  if (expected.width === undefined || expected.height === undefined) return undefined;
  // The sides of stills in `avif` are even.
  const cropped = requested.format === 'avif' ? 1 : 0;
  const widths = [Math.min(requested.width, expected.width), ...(canBeOriginal ? [expected.width] : [])];
  const isExpected = widths.some((expectedWidth) => {
    const expectedHeight = Math.max(
      1,
      ((expected.height as number) * expectedWidth) / (expected.width as number),
    );
    const isHigh = Math.abs(height + cropped / 2 - expectedHeight) <= 1 + cropped / 2;
    return isHigh && width <= expectedWidth && width >= expectedWidth - cropped;
  });
  if (isExpected) return undefined;
  const [expectedWidth = 0] = widths;
  const expectedHeight = Math.round((expected.height * expectedWidth) / expected.width);
  return `is ${width}×${height}, not ${expectedWidth}×${Math.max(1, expectedHeight)}`;
}

/** Encoders merge equal neighbouring frames, so there may be fewer than in the source, but more than one. */
function frameDifference(frames: number, expected: Case): string | undefined {
  if (expected.frames <= 1 || (frames > 1 && frames <= expected.frames)) return undefined;
  return `has ${frames} frames, not ${expected.frames}`;
}

async function alphaDifference(
  hasAlpha: boolean,
  expected: Case,
  source: Buffer,
  format: Format,
): Promise<string | undefined> {
  if (!expected.alpha || hasAlpha || format === 'jpeg') return undefined;
  // An encoder may drop an alpha channel that is opaque throughout.
  const { isOpaque } = await sharp(source).stats();
  return isOpaque ? undefined : 'has lost its transparency';
}
