import { Command } from 'commander';
import sharp from 'sharp';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import { FORMATS, TIERS } from '../../src/variant/request.ts';
import { readSources } from './sources.ts';

/** What the images of a folder weigh in each tier and format, beside their originals and JPEG of quality 90. */
async function run(folder: string, { width }: { width: number }): Promise<void> {
  const sources = await readSources(folder);
  const encoder = createSharpEncoder({ concurrency: 2, maxPixels: 100_000_000 });
  const sumOf = async (bytesOf: (bytes: Buffer) => Promise<number>) => {
    const all = await Promise.all(sources.map(({ bytes }) => bytesOf(bytes)));
    return all.reduce((sum, bytes) => sum + bytes, 0);
  };
  const originals = await sumOf(async (bytes) => bytes.byteLength);
  // What the service of 2017 sent: a baseline JPEG, 4:2:0.
  const jpeg90 = await sumOf(async (bytes) => {
    const image = sharp(bytes)
      .autoOrient()
      .resize({ width, withoutEnlargement: true })
      .flatten({ background: '#fff' });
    return (await image.jpeg({ quality: 90 }).toBuffer()).byteLength;
  });
  process.stdout.write(`${sources.length} images at ${width} px; of JPEG 90, of the originals\n`);
  const print = (name: string, bytes: number) => {
    const ratios = `${(bytes / jpeg90).toFixed(2).padStart(6)} ${((100 * bytes) / originals).toFixed(1).padStart(6)}%`;
    process.stdout.write(`${name.padEnd(14)} ${String(Math.round(bytes / 1000)).padStart(7)} kB ${ratios}\n`);
  };
  print('originals', originals);
  print('JPEG 90', jpeg90);
  const images = await Promise.all(sources.map(({ bytes }) => encoder.decode(bytes, width, 'prewarm')));
  for (const format of FORMATS) {
    for (const tier of TIERS) {
      const variants = await Promise.all(
        images.map((image) => image.encode({ width, tier, format, effort: 'fast' })),
      );
      print(
        `${format} ${tier}`,
        variants.reduce((sum, { body }) => sum + body.byteLength, 0),
      );
    }
  }
}

await new Command('bytes')
  .description('weigh the images of a folder in each tier and format')
  .argument('<folder>')
  .option('--width <pixels>', 'how wide', Number, 1080)
  .action(run)
  .parseAsync();
