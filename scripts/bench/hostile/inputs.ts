import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { pngChunk } from '../../../test/support/file-faults.ts';
import { heicGrid } from '../../../test/support/heif.ts';
import { quarters } from '../../../test/support/pictures.ts';
import { jpegOfManyScans, segment } from './many-scans.ts';

/** An image, or the body of a request to a unit route. */
export interface HostileInput {
  name: string;
  path: 'image' | '/units' | '/units/purge';
  make: () => Buffer | Promise<Buffer>;
}

const image = (name: string, make: HostileInput['make']): HostileInput => ({ name, path: 'image', make });
const AFTER_IHDR = 33;
const repeated = (part: Buffer, count: number) => Buffer.alloc(part.length * count, part);
const plain = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#69c' }, limitInputPixels: false });

/** Small inputs that cost more than others, or did. The first is an ordinary one, to compare with. */
export const HOSTILE_INPUTS: readonly HostileInput[] = [
  image('an ordinary JPEG of 12 megapixels', () => quarters(4000, 3000).jpeg().toBuffer()),
  image('JPEG of 883 scans', () => jpegOfManyScans(9968)),
  image('JPEG with Exif that points to itself 5,000 times', exifLoops),
  image('JPEG of two million empty segments', async () =>
    inJpeg(repeated(segment(0xe5, Buffer.alloc(0)), 2_000_000)),
  ),
  image('PNG with 60 texts that unpack to 50 MB', async () => inPng(...Array<Buffer>(60).fill(textBomb()))),
  image('PNG of 2.6 million empty chunks', async () =>
    inPng(repeated(pngChunk({ type: 'prVt', data: Buffer.alloc(0) }), 2_600_000)),
  ),
  image('PNG whose end says that it has 2 GiB', () => endOf(0x7fffffff)),
  image('PNG whose end says that it has 4 GiB', () => endOf(0xffffffff)),
  image('PNG of 81 megapixels of one colour', () => plain(9000, 9000).png().toBuffer()),
  image('GIF with ten million bytes of comments', async () => inGif(`21fe${'0141'.repeat(5_000_000)}00`)),
  image('GIF of 4,000 frames', () => frames(4000, 'gif')),
  image('WebP of 600 frames', () => frames(600, 'webp')),
  image('WebP of 81 megapixels of one colour', () =>
    plain(9000, 9000).webp({ lossless: true, effort: 0 }).toBuffer(),
  ),
  image('AVIF of 25 megapixels of one colour', () =>
    plain(5000, 5000).avif({ effort: 0, quality: 10 }).toBuffer(),
  ),
  image('HEIC of 400 tiles', () => heicGrid(20, 20)),
  { name: '1.3 million bad lines', path: '/units', make: () => Buffer.from('{}\n'.repeat(1_300_000)) },
  {
    name: 'lines of deep lists',
    path: '/units',
    make: () => Buffer.from(`${'['.repeat(900_000)}\n`.repeat(4)),
  },
  {
    name: 'a unit of 100,000 images',
    path: '/units',
    make: () => Buffer.from(JSON.stringify({ id: 'u', images: Array(100_000).fill('x') })),
  },
  {
    name: '500,000 wrong ids to purge',
    path: '/units/purge',
    make: () => Buffer.from(JSON.stringify({ ids: Array(500_000).fill(1) })),
  },
];

async function inJpeg(parts: Buffer): Promise<Buffer> {
  const file = await quarters().jpeg().toBuffer();
  return Buffer.concat([file.subarray(0, 2), parts, file.subarray(2)]);
}

async function inPng(...parts: readonly Buffer[]): Promise<Buffer> {
  const file = await quarters().png().toBuffer();
  return Buffer.concat([file.subarray(0, AFTER_IHDR), ...parts, file.subarray(AFTER_IHDR)]);
}

async function inGif(hex: string): Promise<Buffer> {
  const file = await quarters().gif().toBuffer();
  return Buffer.concat([file.subarray(0, -1), Buffer.from(hex, 'hex'), file.subarray(-1)]);
}

async function exifLoops(): Promise<Buffer> {
  const count = 5000;
  const tiff = Buffer.alloc(8 + 2 + 12 * count + 4);
  tiff.write('II*\0', 'latin1');
  tiff.writeUInt32LE(8, 4);
  tiff.writeUInt16LE(count, 8);
  for (let at = 10; at < 10 + 12 * count; at += 12) {
    // ExifIFD, one LONG: the directory itself.
    tiff.writeUInt16LE(0x8769, at);
    tiff.writeUInt16LE(4, at + 2);
    tiff.writeUInt32LE(1, at + 4);
    tiff.writeUInt32LE(8, at + 8);
  }
  return await inJpeg(segment(0xe1, Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff])));
}

function textBomb(): Buffer {
  return pngChunk({
    type: 'zTXt',
    data: Buffer.concat([Buffer.from('x\0\0', 'latin1'), deflateSync(Buffer.alloc(50e6))]),
  });
}

async function endOf(length: number): Promise<Buffer> {
  const file = await quarters().png().toBuffer();
  file.writeUInt32BE(length, file.length - 12);
  return file;
}

async function frames(count: number, format: 'gif' | 'webp'): Promise<Buffer> {
  const size = { width: 100, height: 100 };
  const data = Buffer.alloc(size.width * size.height * count * 3);
  for (let frame = 0; frame < count; frame++) data.fill(frame & 255, frame * 30_000, (frame + 1) * 30_000);
  const raw = { ...size, height: size.height * count, channels: 3, pageHeight: size.height } as const;
  return await sharp(data, { raw, limitInputPixels: false }).toFormat(format).toBuffer();
}
