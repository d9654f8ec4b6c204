import sharp from 'sharp';
import { afterAll, describe, expect, it } from 'vitest';
import type { EncodeRequest, Encoder, Urgency } from '../../src/encode/encoder.ts';
import { createEncoderPool } from '../../src/encode/pool/encoder-pool.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { FORMATS } from '../../src/protocol/request.ts';

import { animation, photograph } from '../support/pictures.ts';

const MAX_PIXELS = 4_000_000;
const REQUEST: EncodeRequest = { width: 160, tier: 'balanced', format: 'webp', effort: 'fast' };

const implementations: [string, Encoder][] = [
  ['in this process', createSharpEncoder({ concurrency: 2, maxPixels: MAX_PIXELS })],
  ['in processes of its own', createEncoderPool({ processes: 2, maxPixels: MAX_PIXELS })],
];

describe.each(implementations)('an encoder %s', (_name, encoder) => {
  afterAll(() => encoder.close?.());

  it.each<Urgency>(['viewer', 'prewarm'])('encodes each format for a %s', async (urgency) => {
    const image = await encoder.decode(await photograph(), 320, urgency);
    expect(image).toMatchObject({ facts: { contentType: 'image/jpeg' }, isStreamed: false });
    for (const format of FORMATS) {
      const { body, ...encoded } = await image.encode({ ...REQUEST, format });
      expect(encoded).toMatchObject({ contentType: `image/${format}`, width: 160, effort: 'fast' });
      expect((await sharp(body).stats()).isOpaque).toBe(true);
    }
    image.close();
  });

  it('encodes several variants of an image at the same time', async () => {
    const image = await encoder.decode(await photograph(), 320, 'prewarm');
    const widths = [40, 80, 160, 320];
    const variants = await Promise.all(widths.map((width) => image.encode({ ...REQUEST, width })));
    expect(variants.map(({ width }) => width)).toEqual(widths);
    image.close();
  });

  it('keeps animations', async () => {
    const image = await encoder.decode(await (await animation(64, 64)).gif().toBuffer(), 320, 'viewer');
    expect(image.isStreamed).toBe(true);
    const { body } = await image.encode(REQUEST);
    expect((await sharp(body, { animated: true }).metadata()).pages).toBeGreaterThan(1);
    image.close();
  });

  it('says what is wrong with a source', async () => {
    const photo = await photograph();
    const big = await sharp({ create: { width: 2500, height: 2500, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    const decode = (bytes: Uint8Array) => encoder.decode(bytes, 320, 'viewer');
    await expect(decode(Buffer.from('<svg/>'))).rejects.toMatchObject({ code: 'source_not_image' });
    await expect(decode(photo.subarray(0, photo.length / 2))).rejects.toMatchObject({
      code: 'source_corrupt',
    });
    await expect(decode(big)).rejects.toMatchObject({ code: 'source_too_large', retryable: false });
  });

  it('rejects a width that it has not decoded for', async () => {
    const image = await encoder.decode(await photograph(), 320, 'viewer');
    await expect(image.encode({ ...REQUEST, width: 640 })).rejects.toThrow(
      'decoded for a width of 320 pixels',
    );
    image.close();
  });

  it('gives up what nobody waits for, and works on', async () => {
    const photo = await photograph();
    const reason = new Error('the viewer has left');
    await expect(encoder.decode(photo, 320, 'viewer', AbortSignal.abort(reason))).rejects.toBe(reason);
    const leaving = new AbortController();
    const decodes = [1, 2, 3, 4].map(() => encoder.decode(photo, 320, 'viewer', leaving.signal));
    const settled = Promise.allSettled(decodes);
    leaving.abort(reason);
    expect(await settled).toContainEqual({ status: 'rejected', reason });
    const image = await encoder.decode(photo, 320, 'viewer');
    expect(await image.encode(REQUEST)).toMatchObject({ width: 160 });
    image.close();
  });
});

it('gives the same bytes in this process and in others', async () => {
  const photo = await photograph();
  const bodies = await Promise.all(
    implementations.map(async ([, encoder]) => {
      const image = await encoder.decode(photo, 320, 'viewer');
      const { body } = await image.encode(REQUEST);
      image.close();
      return Buffer.from(body).toString('base64');
    }),
  );
  expect(bodies[0]).toBe(bodies[1]);
});
