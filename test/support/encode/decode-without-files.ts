import { closeSync, openSync } from 'node:fs';
import sharp from 'sharp';
import { createEncoderPool } from '../../../src/encode/pool/encoder-pool.ts';

// A program that decodes an image while it can open no more files, and then once more while it can. It prints the code of the error, or the
// width of the image. To be run with a low limit of open files.

const picture = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'red' } })
  .png()
  .toBuffer();
const pool = createEncoderPool({ processes: 1, maxPixels: 100_000_000 });
const files: number[] = [];

async function decode(): Promise<void> {
  try {
    const image = await pool.decode(picture, 64, 'viewer');
    process.stdout.write(`${image.facts.width}\n`);
    image.close();
  } catch (error) {
    process.stdout.write(`${(error as { code?: unknown }).code}\n`);
  }
}

try {
  for (;;) files.push(openSync('/dev/null', 'r'));
} catch {}
await decode();
for (const file of files) closeSync(file);
await decode();
await pool.close();
