import type { SigningKey } from '../protocol/signature.ts';
import { type ImageUrlParts, InvalidImageUrl, imageUrl } from './image-url.ts';

/** The parts of a list of image URLs. */
export interface SrcsetParts extends Omit<ImageUrlParts, 'width'> {
  /** In pixels: the rungs that prewarm makes, such as `[720, 1080]`. */
  widths: readonly number[];
  /**
   * The width of the original in pixels, if it is known. No image is made wider than its original: widths above are left out, and the
   * first of them says how wide it really is. Browsers would show it too small otherwise, where no style sets its width.
   */
  sourceWidth?: number | undefined;
}

/**
 * Builds the value of `srcset`: a URL for each width, from the smallest.
 *
 * @param key - as in `imageUrl`
 * @returns for example `https://…&w=720 720w, https://…&w=1080 1080w`. It is no HTML yet: there, `&` has to be `&amp;`
 * @throws what `imageUrl` throws, and InvalidImageUrl without widths
 */
export function srcset(parts: SrcsetParts, key?: SigningKey | string): string {
  const { widths, sourceWidth, ...rest } = parts;
  return candidateWidths(parts)
    .map((width) => {
      const shown = Math.min(width, sourceWidth ?? width);
      return `${imageUrl({ ...rest, width }, key)} ${shown}w`;
    })
    .join(', ');
}

/** Returns the widths that are worth a candidate, in ascending order, each once. */
export function candidateWidths({ widths, sourceWidth }: SrcsetParts): number[] {
  if (!Array.isArray(widths) || widths.length === 0)
    throw new InvalidImageUrl('width', '`widths` must have at least one width, such as [720, 1080]');
  if (sourceWidth !== undefined && !(Number.isInteger(sourceWidth) && sourceWidth >= 1))
    throw new InvalidImageUrl(
      'width',
      `\`sourceWidth\` must be a whole number of pixels; it is ${sourceWidth}`,
    );
  const ascending = [...new Set<number>(widths)].sort((a, b) => a - b);
  const enough = ascending.findIndex((width) => width >= (sourceWidth ?? Number.POSITIVE_INFINITY));
  return enough < 0 ? ascending : ascending.slice(0, enough + 1);
}
