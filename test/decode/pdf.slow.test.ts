import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { pageAsPdf, pdf, quartersOfPage } from '../support/pdf.ts';
import { coloursOf, expectQuarters, QUARTERS, quarters } from '../support/pictures.ts';

const encoder = createSharpEncoder({ concurrency: 2, maxPixels: 100_000_000 });

async function encode(source: Uint8Array, width = 1080) {
  const image = await encoder.decode(source, width, 'viewer');
  const variant = await image.encode({ width, tier: 'high', format: 'webp', effort: 'fast' });
  return { ...variant, source: image.facts };
}

/** The share of pixels that are dark, in percent. */
async function inkIn(body: Uint8Array, area: { left: number; top: number; width: number; height: number }) {
  const pixels = await sharp(body).extract(area).greyscale().raw().toBuffer();
  return (100 * pixels.filter((value) => value < 128).length) / pixels.length;
}

describe('decoding PDF', () => {
  it('shows the first page at 200 dots an inch, on white', async () => {
    const source = pageAsPdf({ content: quartersOfPage(QUARTERS) });
    const image = await encode(source, 2048);
    const size = { width: 1653, height: 2339 };
    expect(image.source).toEqual({ ...size, contentType: 'application/pdf', bytes: source.byteLength });
    expect(image).toMatchObject({ width: size.width });
    await expectQuarters(image.body, 2);
    const blank = await encode(pageAsPdf({ content: '' }));
    expect(await coloursOf(blank.body)).toEqual(Array(4).fill({ r: 255, g: 255, b: 255 }));
  });

  it('turns a page as it says', async () => {
    const turned = await encode(pageAsPdf({ content: quartersOfPage(QUARTERS), extra: '/Rotate 90' }));
    expect(turned.width).toBeGreaterThan(turned.height);
    expect(await coloursOf(turned.body)).toEqual([2, 0, 3, 1].map((index) => QUARTERS[index]));
  });

  it('shows text in a font that is not embedded, pictures, and what is filled into a form', async () => {
    const jpeg = await quarters(64, 64).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
    const { body, width, height } = await encode(
      pageAsPdf({
        content: 'BT /F1 40 Tf 0 790 Td (Invoice 2026-0042) Tj ET q 595 0 0 595 0 100 cm /Im1 Do Q',
        image: { jpeg, width: 64, height: 64 },
        fieldValue: 'Jane Doe',
      }),
    );
    const line = Math.round((50 / 842) * height);
    expect(await inkIn(body, { left: 0, top: 0, width: width >> 1, height: line })).toBeGreaterThan(5);
    expect(
      await inkIn(body, { left: 0, top: height - line, width: width >> 2, height: line }),
    ).toBeGreaterThan(5);
    const top = Math.round((147 / 842) * height);
    await expectQuarters(await sharp(body).extract({ left: 0, top, width, height: width }).png().toBuffer());
  });

  it.each([
    [1e6, 1e6, 2048, 2048],
    [1e8, 1, 2048, 1],
    [20, 14_400, 11, 8192],
    [85, 55, 1080, 699],
  ])('bounds the size of a page of %d by %d points', async (width, height, ...size) => {
    const { source } = await encode(pageAsPdf({ content: '', width, height }), 160);
    expect([source.width, source.height]).toEqual(size);
  });

  it('says of a document with a password that this is why it is not shown', async () => {
    const encrypted = pdf(
      ['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Kids [] /Count 0 >>', ENCRYPTION],
      `/Encrypt 3 0 R /ID [<${'00'.repeat(16)}> <${'00'.repeat(16)}>]`,
    );
    await expect(encode(encrypted)).rejects.toMatchObject({
      code: 'source_not_image',
      message: expect.stringContaining('password'),
    });
  });

  it('measures no more documents at once than there are cores, however many are requested', async () => {
    const running = new Set<object>();
    let most = 0;
    const count = (worker: Worker) => {
      most = Math.max(most, running.add(worker).size);
      worker.once('exit', () => running.delete(worker));
    };
    process.on('worker', count);
    const source = pageAsPdf({ content: 'q '.repeat(100_000) });
    // One permit: at most one of the threads renders.
    const { decode } = createSharpEncoder({ concurrency: 1, maxPixels: 100_000_000 });
    await Promise.all(
      Array.from({ length: 8 * availableParallelism() }, () => decode(source, 160, 'viewer')),
    );
    process.off('worker', count);
    expect(most).toBeGreaterThan(0);
    // A thread ends a moment after its result is there.
    expect(most).toBeLessThanOrEqual(2 * (availableParallelism() + 1));
  }, 60_000);

  it('bounds the memory of drawings that contain each other', async () => {
    // Each draws the next one a hundred times.
    const nested = Array.from({ length: 8 }, (_, level) => {
      const content = level < 7 ? '/X Do '.repeat(100) : '0 0 595 842 re f';
      const resources = `/Resources << /XObject << /X ${level + 6} 0 R >> >>`;
      return `<< /Type /XObject /Subtype /Form /BBox [0 0 595 842] ${resources} /Length ${content.length} >>\nstream\n${content}\nendstream`;
    });
    const bomb = pdf([
      '<< /Type /Catalog /Pages 2 0 R >>',
      '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
      '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >> >>',
      '<< /Length 5 >>\nstream\n/X Do\nendstream',
      ...nested,
    ]);
    await expect(encode(bomb)).rejects.toMatchObject({ code: 'source_too_large' });
  });

  it.each([
    ['nothing behind its header', Buffer.from('%PDF-1.7\n')],
    ['no pages', pdf(['<< /Type /Catalog /Pages 2 0 R >>', '<< /Type /Pages /Kids [] /Count 0 >>'])],
  ])('refuses a document with %s', async (_what, source) => {
    await expect(encode(source)).rejects.toMatchObject({ code: 'source_corrupt' });
  });
});

/** The standard security handler, revision 3, with hashes that no empty password has. */
const ENCRYPTION = `<< /Filter /Standard /V 2 /R 3 /Length 128 /P -4 /O <${'11'.repeat(32)}> /U <${'22'.repeat(32)}> >>`;
