import sharp from 'sharp';
import { inspectSource } from '../../../src/decode/inspect.ts';
import { EFFORTS, type Effort, type EncodedImage } from '../../../src/encode/encoder.ts';
import { DISPLAYABLE_ENCODINGS } from '../../../src/encode/encodings.ts';
import { createMetric, type Metric } from '../../../src/encode/metric.ts';
import { flattenPixels, openPixels, type Pixels, readPixels } from '../../../src/encode/pixels.ts';
import { servableOriginal } from '../../../src/encode/servable-original.ts';
import { createSharpEncoder } from '../../../src/encode/sharp-encoder.ts';
import type { Format, Tier } from '../../../src/protocol/request.ts';
import type { SmallOriginal } from './make-originals.ts';

const MAX_PIXELS = 100_000_000;

/** One answer to a request for one of the originals. */
export interface Answer {
  original: string;
  kind: SmallOriginal['kind'];
  format: Format;
  tier: Tier;
  width: number;
  effort: Effort;
  type: string;
  bytes: number;
  /** The size of the original without its metadata. */
  originalBytes: number;
  isOriginal: boolean;
  /** Whether the client displays the original as it is. */
  isDisplayed: boolean;
  /** SSIMULACRA2 against the picture before it was compressed, at the width that was asked for: of the answer, and of the original. */
  score: number;
  originalScore: number;
  /** CPU time of all threads of this process. */
  cpuMs: number;
}

export interface Requests {
  formats: readonly Format[];
  tiers: readonly Tier[];
  widths: readonly number[];
  efforts: readonly Effort[];
}

/** Requests each original in each way, one after the other. */
export async function measureAnswers(
  originals: readonly SmallOriginal[],
  requests: Requests,
  onAnswer: (answer: Answer) => void,
): Promise<void> {
  const encoder = createSharpEncoder({ concurrency: 1, maxPixels: MAX_PIXELS });
  const metric = createMetric(1);
  for (const original of originals) {
    const { name, kind, body, pristine } = original;
    const source = await inspectSource(body, MAX_PIXELS);
    const servable = servableOriginal(source);
    for (const width of requests.widths) {
      const shown = await resizedInside(pristine, width);
      const originalScore = await scoreAsShown(body, shown, metric);
      for (const request of combinations(requests)) {
        // Decoded again for each request, so that none profits from what another has cached.
        const before = process.cpuUsage();
        const image = await (await encoder.decode(body, width, 'prewarm')).encode({ ...request, width });
        const { user, system } = process.cpuUsage(before);
        onAnswer({
          original: name,
          kind,
          ...request,
          width,
          ...summaryOf(image),
          originalBytes: servable?.body.byteLength ?? body.byteLength,
          isDisplayed:
            servable !== undefined && DISPLAYABLE_ENCODINGS[request.format].includes(servable.encoding),
          score: await scoreAsShown(image.body, shown, metric),
          originalScore,
          cpuMs: (user + system) / 1000,
        });
      }
    }
  }
}

function combinations({ formats, tiers, efforts }: Requests) {
  return formats.flatMap((format) =>
    tiers.flatMap((tier) =>
      EFFORTS.filter((effort) => efforts.includes(effort)).map((effort) => ({ format, tier, effort })),
    ),
  );
}

function summaryOf({ body, contentType, isOriginal }: EncodedImage) {
  return { type: contentType, bytes: body.byteLength, isOriginal };
}

async function resizedInside(pristine: SmallOriginal['pristine'], width: number): Promise<Pixels> {
  const image = openPixels(pristine).resize({ width, withoutEnlargement: true });
  return await flattenPixels(await readPixels(image));
}

/**
 * Scores an image as a client shows it: at the size that was asked for, whatever its own size. A variant whose odd sides were cropped is
 * compared with what is left.
 */
async function scoreAsShown(body: Uint8Array, pristine: Pixels, metric: Metric): Promise<number> {
  const image = sharp(body);
  const { width, height } = await image.metadata();
  const isCropped = pristine.width - width <= 1 && pristine.height - height <= 1;
  const size = isCropped
    ? { width: Math.min(width, pristine.width), height: Math.min(height, pristine.height) }
    : { width: pristine.width, height: pristine.height };
  const cropped = openPixels(pristine).extract({ left: 0, top: 0, ...size });
  const reference = metric.open(await flattenPixels(await readPixels(cropped)));
  const score = await reference.score(
    await flattenPixels(await readPixels(image.resize({ ...size, fit: 'fill' }))),
  );
  reference.close();
  return score;
}
