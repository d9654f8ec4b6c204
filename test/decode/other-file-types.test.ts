import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { bmp } from '../support/bmp.ts';
import { losslessJpeg } from '../support/camera-raw.ts';

const encoder = createSharpEncoder({ concurrency: 1, maxPixels: 1_000_000 });

async function refusal(source: Buffer): Promise<{ code: string; message: string }> {
  return await encoder.decode(source, 320, 'viewer').then(
    () => ({ code: 'none', message: '' }),
    (error: { code: string; message: string }) => error,
  );
}

const at = (offset: number, text: string) => `${'\0'.repeat(offset)}${text}`;

describe('a file that is no image of a supported type', () => {
  it.each([
    ['%!PS-Adobe-3.0 EPSF-3.0', 'EPS'],
    ['\xc5\xd0\xd3\xc6\x20\0\0\0', 'EPS'],
    ['PK\x03\x04\x14\0\x06\0\x08\0[Content_Types].xml word/document.xml', 'Word'],
    ['PK\x03\x04\x14\0\x06\0\x08\0[Content_Types].xml xl/workbook.xml', 'Excel'],
    ['PK\x03\x04\x14\0\x06\0\x08\0[Content_Types].xml ppt/presentation.xml', 'PowerPoint'],
    ['PK\x03\x04\x14\0\0\0\0\0mimetypeapplication/vnd.oasis.opendocument.text', 'OpenDocument'],
    ['PK\x03\x04\x14\0\0\0\0\0photos/a.jpg', 'ZIP'],
    ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'Microsoft Office'],
    ['\0\0\0\x18ftypmp42\0\0\0\0mp42isom', 'MP4'],
    ['\0\0\0\x14ftypqt  \0\0\0\0qt  ', 'QuickTime'],
    ['\0\0\0\x14ftypM4A \0\0\0\0M4A ', 'audio'],
    ['\0\0\0\x14ftypmif1\0\0\0\0mif1', 'HEIF with an unknown codec'],
    ['\0\0\0\x10ftypmif3avif', 'mif3'],
    ['\0\0\0\x14ftypavci\0\0\0\0mif1', 'HEIF with AVC'],
    ['\x1a\x45\xdf\xa3', 'WebM'],
    ['RIFF\x10\0\0\0AVI LIST', 'AVI'],
    [at(128, 'DICM'), 'DICOM'],
    ['BA\x28\0\0\0\0\0\0\0\0\0\0\0BM\x1a\0\0\0', 'OS/2 bitmap array'],
    ['BA\x5c\0\0\0\xf2\0\0\0\0\0\0\0CI\x4e\0\0\0', 'OS/2 icon'],
    ['CI\x1a\0\0\0\x10\0', 'OS/2 icon'],
    ['gimp xcf v011\0', 'XCF'],
    ['\0\0\x02\0\0\0\0\0\0\0\0\0\x10\0\x10\0\x18\0', 'Targa'],
    ['\x01\xda\x01\x01', 'SGI'],
    ['v/1\x01\x02\0\0\0', 'OpenEXR'],
    ['#?RADIANCE\n', 'Radiance'],
    ['P6\n1 1\n255\n\0\0\0', 'Netpbm'],
    ['AT&TFORM\0\0\0\0DJVU', 'DjVu'],
    ['{"error": "gone"}', 'JSON'],
    ['<!DOCTYPE html><html></html>', 'HTML'],
    ['<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', 'XML'],
    ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'SVG'],
    ['', 'empty'],
    ['hello', 'JPEG XL'],
  ])('%j is refused as %s', async (text, name) => {
    const { code, message } = await refusal(Buffer.from(text, 'latin1'));
    expect(code).toBe('source_not_image');
    expect(message).toContain(name);
  });

  it('is also a kind within a supported type', async () => {
    const lossless = losslessJpeg(16, 16);
    const jpegLs = Buffer.from(lossless);
    jpegLs[3] = 0xf7;
    const tiff = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#888' } })
      .tiff({ compression: 'deflate' })
      .toBuffer();
    const tags: [tag: number, value: number, name: string][] = [
      [259, 34_925, 'LZMA'],
      [259, 34_712, 'JPEG 2000'],
    ];
    const oddBmp = bmp(8, 8, { bits: 24 });
    oddBmp.writeUInt16LE(13, 28);
    const bmpWith = (at: number, value: number) => {
      const file = bmp(8, 8, { bits: 24 });
      file.writeUInt32LE(value, at);
      return file;
    };
    const apart = bmp(8, 8, { bits: 16, masks: [0xf00f, 0x00f0, 0x0f00, 0] });
    const huffman = bmp(8, 8, { bits: 1, header: 64 });
    huffman.writeUInt32LE(3, 30);
    for (const [source, name] of [
      [oddBmp, 'BMP with 13 bits'],
      [bmpWith(30, 4), 'BMP with a JPEG inside'],
      [bmpWith(30, 5), 'BMP with a PNG inside'],
      [bmpWith(30, 11), 'BMP with compression 11'],
      [bmpWith(30, 1), 'BMP with compression 1 and 24 bits'],
      [bmpWith(14, 66), 'BMP with a header of 66 bytes'],
      [huffman, 'BMP with Huffman compression'],
      [apart, 'BMP with masks whose bits are apart'],
      [lossless, 'lossless JPEG'],
      [jpegLs, 'JPEG-LS'],
      ...tags.map(([tag, value, what]) => [withTag(tiff, tag, value), what] as const),
    ] as const) {
      const { code, message } = await refusal(source);
      expect([name, code]).toEqual([name, 'source_not_image']);
      expect(message).toContain(name);
    }
  });
});

/** Returns a little-endian TIFF with another value of a tag. */
function withTag(tiff: Buffer, tag: number, value: number): Buffer {
  const copy = Buffer.from(tiff);
  const directory = copy.readUInt32LE(4);
  for (let entry = directory + 2; entry < directory + 2 + copy.readUInt16LE(directory) * 12; entry += 12) {
    if (copy.readUInt16LE(entry) === tag) copy.writeUInt16LE(value, entry + 8);
  }
  return copy;
}
