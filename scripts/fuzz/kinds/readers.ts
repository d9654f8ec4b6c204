import fc from 'fast-check';
import { heifColours } from '../../../src/decode/colours/heif-colours.ts';
import { pngColours } from '../../../src/decode/colours/png-colours.ts';
import { readAvifItems } from '../../../src/decode/containers/avif-items.ts';
import { missingPart } from '../../../src/decode/containers/heif-items.ts';
import { readSize } from '../../../src/decode/containers/image-headers.ts';
import { jpegCoarseness } from '../../../src/decode/containers/jpeg-quality.ts';
import { stripGif, stripJpeg, stripPng, stripWebp } from '../../../src/decode/containers/strip-metadata.ts';
import { identify } from '../../../src/decode/identify.ts';
import type { ImageType } from '../../../src/decode/image-type.ts';
import { otherFileType } from '../../../src/decode/other-file-types.ts';
import { readJpegStructure } from '../../../src/decode/repair/jpeg-structure.ts';
import { EdgepressError } from '../../../src/protocol/error.ts';
import { Finding } from '../finding.ts';
import { type Kind, kind } from '../kind.ts';
import { edits, mutate } from '../mutations.ts';
import type { SeedImage } from '../seed-images.ts';

/** What reads files in the server's own process, before a decoder sees them. */
type Reader = (bytes: Buffer) => unknown;

const heif: readonly Reader[] = [
  (file) => orDamaged(() => missingPart(file)),
  readAvifItems,
  (file) => heifColours(file, 8),
];
const READERS: Readonly<Partial<Record<ImageType, readonly Reader[]>>> = {
  jpeg: [stripJpeg, jpegCoarseness, readJpegStructure],
  png: [stripPng, (file) => pngColours(file, false)],
  apng: [stripPng],
  webp: [stripWebp],
  gif: [stripGif],
  avif: heif,
  avis: heif,
  hevc: heif,
};
/** The readers of files of a few kilobytes take microseconds. */
const MAX_MS = 500;

/**
 * Mutated images for the readers of containers alone, in this process: a hundred times as many as a server decodes in the same time. Each
 * reads it or refuses it.
 */
export function readersKind(seeds: readonly SeedImage[]): Kind {
  const seed = fc.constantFrom(...seeds);
  const inputs = fc.record({ seed, other: seed, edits }).map(({ seed, other, edits }) => ({
    seed: seed.name,
    bytes: mutate(seed.bytes, edits, other.bytes) as Uint8Array,
  }));
  return kind({
    name: 'readers',
    concurrency: 1,
    inputs,
    send: async ({ bytes }) => readAll(Buffer.from(bytes)),
  });
}

/** Of damaged boxes this reader says that it throws a RangeError. */
function orDamaged(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function readAll(file: Buffer): string {
  const type = run('identify', () => {
    const found = identify(file);
    return found.bytes.length > file.length ? undefined : found.type;
  });
  run('otherFileType', () => otherFileType(file));
  if (type === undefined) return 'refused';
  const readers = [(bytes: Buffer) => readSize(bytes, type), ...(READERS[type] ?? [])];
  for (const [index, reader] of readers.entries())
    run(`${type} reader ${reader.name || index}`, () => reader(file));
  return type;
}

/** Returns what a reader returns; `undefined` where it refuses the file. */
function run<T>(name: string, read: () => T): T | undefined {
  const start = performance.now();
  const result = attempt(name, read);
  const ms = performance.now() - start;
  if (ms > MAX_MS) throw new Finding(`${name} took ${Math.round(ms)} ms`);
  return result;
}

function attempt<T>(name: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof EdgepressError && error.code !== 'internal') return undefined;
    throw new Finding(`${name} threw ${(error as Error).stack?.split('\n').slice(0, 2).join(' ')}`);
  }
}
