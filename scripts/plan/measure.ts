import { readdir, readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../src/config.ts';
import { readPhotographs } from '../../src/demo/demo.ts';
import type { Effort, Encoder } from '../../src/encode/encoder.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import type { WantedVariants } from '../../src/unit/unit.ts';
import { CommandFailure } from '../command/command-failure.ts';

/** What one photograph takes on one core of this machine. */
export interface MeasuredPhotograph {
  name: string;
  width: number;
  height: number;
  bytes: number;
  /** Of all of its variants. */
  variantBytes: readonly number[];
  /** CPU of the process, to decode it and make them. */
  cpuMs: number;
}

export interface Measurement {
  photographs: readonly MeasuredPhotograph[];
  /** How many could not be encoded. */
  failed: number;
  rounds: number;
  /** What this machine calls its processor. */
  core: string;
  /** Of all photographs. */
  meanCpuMs: number;
  meanBytes: number;
  meanVariantBytes: number;
}

/** A photograph that is read when its turn comes. */
export interface Original {
  name: string;
  read: () => Promise<Uint8Array>;
}

const IMAGE_FILE = /\.(jpe?g|png|gif|webp|avif|tiff?|hei[cf])$/i;
/** Of a folder, spread over all of it: more would not say more. */
const MOST_PHOTOGRAPHS = 48;
/** The first warms up and does not count. */
const ROUNDS = 4;

/** The photographs that come with the packages: real ones, but small. */
export async function packagedOriginals(): Promise<readonly Original[]> {
  return (await readPhotographs()).map(({ name, bytes }) => ({ name, read: async () => bytes }));
}

/** @throws CommandFailure when the folder cannot be read or has none */
export async function originalsOf(folder: string): Promise<readonly Original[]> {
  const files = await readdir(folder).catch((error: Error) => {
    throw new CommandFailure(`--photos: ${folder} cannot be read: ${error.message}`);
  });
  const names = files.filter((name) => IMAGE_FILE.test(name)).sort();
  if (names.length === 0)
    throw new CommandFailure(
      `--photos: ${folder} has no photographs (.jpg, .png, .gif, .webp, .avif, .tiff or .heic).`,
    );
  const step = Math.max(names.length / MOST_PHOTOGRAPHS, 1);
  const some = names.filter((_name, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
  return some.map((name) => ({ name, read: () => readFile(join(folder, name)) }));
}

/**
 * Measures what it takes to make the wanted variants: one photograph at a time, on one core, with the service's own encoder.
 * CPU time, so that what else this machine does hardly counts; the median of three rounds.
 *
 * @param say - is told of photographs that cannot be encoded, which are left out
 * @throws CommandFailure when that is all of them
 */
export async function measure(
  originals: readonly Original[],
  { prewarm, prewarmEffort, maxPixels }: Pick<Config, 'prewarm' | 'prewarmEffort' | 'maxPixels'>,
  say: (text: string) => void,
): Promise<Measurement> {
  const encoder = createSharpEncoder({ concurrency: 1, maxPixels });
  const photographs: MeasuredPhotograph[] = [];
  for (const original of originals) {
    try {
      photographs.push(await measureOne(original, encoder, { ...prewarm, effort: prewarmEffort }));
    } catch (error) {
      say(`${original.name} is left out: ${(error as Error).message}`);
    }
  }
  if (photographs.length === 0) throw new CommandFailure('None of the photographs could be encoded.');
  return {
    photographs,
    failed: originals.length - photographs.length,
    rounds: ROUNDS - 1,
    core: cpus()[0]?.model ?? 'unknown',
    meanCpuMs: mean(photographs.map(({ cpuMs }) => cpuMs)),
    meanBytes: mean(photographs.map(({ bytes }) => bytes)),
    meanVariantBytes: mean(photographs.flatMap(({ variantBytes }) => variantBytes)),
  };
}

async function measureOne(
  { name, read }: Original,
  encoder: Encoder,
  { widths, tiers, formats, effort }: WantedVariants & { effort: Effort },
): Promise<MeasuredPhotograph> {
  const bytes = await read();
  const choices = widths.flatMap((width) =>
    tiers.flatMap((tier) => formats.map((format) => ({ width, tier, format }))),
  );
  const rounds: number[] = [];
  let variantBytes: number[] = [];
  let size = { width: 0, height: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    const image = await encoder.decode(bytes, Math.max(...widths), 'prewarm');
    variantBytes = [];
    for (const choice of choices)
      variantBytes.push((await image.encode({ ...choice, effort })).body.byteLength);
    const { user, system } = process.cpuUsage(before);
    if (round > 0) rounds.push((user + system) / 1000);
    size = image.facts;
  }
  const { width, height } = size;
  return { name, width, height, bytes: bytes.byteLength, variantBytes, cpuMs: median(rounds) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
