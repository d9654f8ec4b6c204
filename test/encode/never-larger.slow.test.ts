import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Effort } from '../../src/encode/encoder.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { FORMATS } from '../../src/protocol/request.ts';
import { asMessenger, form, largePhotograph } from '../support/pictures.ts';

const encoder = createSharpEncoder({ concurrency: 2, maxPixels: 10_000_000 });

/** Originals that every client displays, and that have hardly any metadata to strip. */
const ORIGINALS: Record<string, () => Promise<Buffer>> = {
  '1280 pixels at quality 25': async () => asMessenger(await largePhotograph(1280), 25),
  '1280 pixels at quality 60': async () => asMessenger(await largePhotograph(1280), 60),
  '1600 pixels at quality 25': async () => asMessenger(await largePhotograph(1600), 25),
  '1600 pixels at quality 45, compressed twice': async () =>
    asMessenger(await asMessenger(await largePhotograph(1600), 60), 45),
  'a form in four colours': () => form(),
};

const WIDTHS: Record<Effort, readonly number[]> = { fast: [480, 1080, 1600], best: [1080] };

describe.each(['fast', 'best'] as const)('an answer of effort %s', (effort) => {
  it.each(Object.keys(ORIGINALS))(
    'has no more bytes than an original that was compressed hard: %s',
    async (name) => {
      const source = await (ORIGINALS[name] as () => Promise<Buffer>)();
      for (const width of WIDTHS[effort]) {
        const image = await encoder.decode(source, width, 'prewarm');
        const requests = FORMATS.flatMap((format) =>
          (['balanced', 'high'] as const).map((tier) => ({ width, format, tier, effort })),
        );
        for (const answer of await Promise.all(requests.map((request) => image.encode(request)))) {
          expect(answer.body.byteLength).toBeLessThanOrEqual(source.byteLength);
          const { width: sent, height } = await sharp(answer.body).metadata();
          expect(answer).toMatchObject({ width: sent, height });
        }
      }
    },
  );
});
