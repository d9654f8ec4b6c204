import sharp from 'sharp';
import type { Metric, Reference, RgbImage } from '../../../src/encode/metric.ts';

/** An original at the size of its variants, which variants of slightly different sizes are scored against. */
export interface CroppedReference {
  /**
   * Scores a variant against the part of the original that it shows. A larger one, an original that was sent as it is, is resized first, as a
   * client shows it.
   */
  scoreOf(variant: RgbImage): Promise<number>;
  close(): void;
}

/** Opens an original in the metric, and each part of it that a variant shows when its first variant is scored. */
export function openCropped(metric: Metric, original: RgbImage): CroppedReference {
  const { width, height } = original;
  const references = new Map<string, Reference>();

  async function referenceFor(size: { width: number; height: number }): Promise<Reference> {
    const key = `${size.width}×${size.height}`;
    const known = references.get(key);
    if (known) return known;
    const part = sharp(original.data, { raw: { width, height, channels: 3 } }).extract({
      left: 0,
      top: 0,
      ...size,
    });
    const reference = metric.open({ data: await part.raw().toBuffer(), ...size });
    references.set(key, reference);
    return reference;
  }

  return {
    async scoreOf(variant) {
      const shown =
        variant.width > width || variant.height > height ? await resized(variant, original) : variant;
      const reference = await referenceFor({ width: shown.width, height: shown.height });
      return await reference.score(shown);
    },
    close() {
      for (const reference of references.values()) reference.close();
    },
  };
}

async function resized(image: RgbImage, { width, height }: RgbImage): Promise<RgbImage> {
  const pixels = sharp(image.data, { raw: { width: image.width, height: image.height, channels: 3 } });
  return { data: await pixels.resize({ width, height, fit: 'fill' }).raw().toBuffer(), width, height };
}
