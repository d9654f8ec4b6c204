import sharp from 'sharp';
import { createMetric, type RgbImage } from '../../../src/encode/metric.ts';
import { flattenPixels, readPixels } from '../../../src/encode/pixels.ts';
import { createSharpEncoder } from '../../../src/encode/sharp-encoder.ts';
import type { BenchSource } from '../harness/sources.ts';
import { openCropped } from './cropped-reference.ts';
import { type Method, scoreOf } from './methods.ts';

/** One image, encoded with one method. */
export interface Measurement {
  image: string;
  method: string;
  format: string;
  tier?: string;
  bytes: number;
  score: number;
  /** CPU time of all threads of this process. */
  cpuMs: number;
}

/** Called with each measurement, the encoded image, and the original at the size of its variants. */
export type OnMeasured = (measurement: Measurement, body: Uint8Array, original: RgbImage) => void;

/** Encodes and scores each source with each method, one after the other, and releases each source before the next. */
export async function measure(
  sources: readonly BenchSource[],
  methods: readonly Method[],
  width: number,
  onMeasured: OnMeasured,
): Promise<void> {
  const encoder = createSharpEncoder({ concurrency: 1, maxPixels: 100_000_000 });
  const metric = createMetric(1);
  for (const { name, bytes } of sources) {
    const { facts } = await encoder.decode(bytes, width, 'prewarm');
    const size = { width: Math.min(width, facts.width), height: 0 };
    size.height = Math.max(1, Math.round((facts.height * size.width) / facts.width));
    const pixels = await readPixels(
      sharp(bytes)
        .autoOrient()
        .resize({ ...size, fit: 'fill' }),
    );
    const white = await flattenPixels(pixels);
    const original = openCropped(metric, white);
    for (const method of methods) {
      // Decoded again for each method, so that none profits from what another has cached.
      const image = await encoder.decode(bytes, width, 'prewarm');
      const subject = { name, image, pixels, original, width };
      const before = process.cpuUsage();
      const body = await method.encode(subject);
      const { user, system } = process.cpuUsage(before);
      const { name: methodName, format, tier } = method;
      const score = await scoreOf(body, subject);
      const row = {
        image: name,
        method: methodName,
        format,
        ...(tier && { tier }),
        bytes: body.byteLength,
        score,
      };
      onMeasured({ ...row, cpuMs: (user + system) / 1000 }, body, white);
    }
    original.close();
  }
}
