import { describe, expect, it } from 'vitest';
import { jpegCoarseness } from '../../src/decode/containers/jpeg-quality.ts';
import { quarters } from '../support/pictures.ts';

describe('The coarseness of a JPEG', () => {
  it.each([
    [25, 2],
    [50, 1],
    [75, 0.5],
    [90, 0.2],
  ])('at quality %i of libjpeg is %f', async (quality, coarseness) => {
    const source = await quarters().jpeg({ quality }).toBuffer();
    expect(jpegCoarseness(source)).toBeCloseTo(coarseness, 1);
  });

  it('is that of luminance, behind metadata and in any kind of JPEG', async () => {
    const image = quarters().withExif({ IFD0: { Artist: 'someone' } });
    for (const options of [{ progressive: true }, { chromaSubsampling: '4:4:4' }, { optimiseCoding: false }])
      expect(
        jpegCoarseness(
          await image
            .clone()
            .jpeg({ quality: 50, ...options })
            .toBuffer(),
        ),
      ).toBeCloseTo(1, 1);
  });

  it('is unknown without a table', async () => {
    const source = await quarters().jpeg().toBuffer();
    expect(jpegCoarseness(source.subarray(0, 4))).toBeUndefined();
    expect(jpegCoarseness(Buffer.from([0xff, 0xd8, 0xff, 0xda, 0, 2]))).toBeUndefined();
    expect(jpegCoarseness(Buffer.alloc(0))).toBeUndefined();
  });
});
