import { readdir, readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../src/config.ts';
import type { Effort, Encoder } from '../../src/encode/encoder.ts';
import { createSharpEncoder } from '../../src/encode/sharp-encoder.ts';
import type { WantedVariants } from '../../src/unit/unit.ts';
import { CommandFailure } from '../cli/command.ts';

/** One photograph, measured on one core of this machine. */
export interface MeasuredPhotograph {
  name: string;
  width: number;
  height: number;
  bytes: number;
  /** The size of each of its variants. */
  variantBytes: readonly number[];
  /** CPU time of the process to decode the photograph and encode all of its variants. */
  cpuMs: number;
}

/** The property names are those of `plan --json`. */
export interface Measurement {
  photographs: readonly MeasuredPhotograph[];
  /** How many photographs could not be encoded. */
  failed: number;
  rounds: number;
  /** The processor, as the system names it. */
  core: string;
  /** Means over all photographs. */
  meanCpuMs: number;
  meanBytes: number;
  meanVariantBytes: number;
}

/** A photograph to measure with, read when it is needed. */
export interface Original {
  name: string;
  read: () => Promise<Uint8Array>;
}

const IMAGE_FILE = /\.(jpe?g|png|gif|webp|avif|tiff?|hei[cf])$/i;
/** At most so many of a folder, evenly spread over it: more would not change the mean. */
const MAX_PHOTOGRAPHS = 48;
/** The first round warms up and does not count. */
const ROUNDS = 4;

/** @throws CommandFailure when the folder cannot be read or contains no photographs */
export async function originalsInFolder(folder: string): Promise<readonly Original[]> {
  const files = await readdir(folder).catch((error: Error) => {
    throw new CommandFailure(`--photos: ${folder} cannot be read: ${error.message}`);
  });
  const names = files.filter((name) => IMAGE_FILE.test(name)).sort();
  if (names.length === 0)
    throw new CommandFailure(
      `--photos: ${folder} has no photographs (.jpg, .png, .gif, .webp, .avif, .tiff or .heic).`,
    );
  const step = Math.max(names.length / MAX_PHOTOGRAPHS, 1);
  const sample = names.filter((_name, index) => Math.floor(index / step) !== Math.floor((index - 1) / step));
  return sample.map((name) => ({ name, read: () => readFile(join(folder, name)) }));
}

/**
 * Measures the CPU time to make the wanted variants: one photograph at a time, on one core, with the service's own encoder. CPU
 * time instead of elapsed time, so that other load on this machine hardly counts; the median of three rounds.
 *
 * @param onSkipped - called with each photograph that cannot be encoded and is left out
 * @throws CommandFailure when none can be encoded
 */
export async function measure(
  originals: readonly Original[],
  { prewarm, prewarmEffort, maxPixels }: Pick<Config, 'prewarm' | 'prewarmEffort' | 'maxPixels'>,
  onSkipped: (name: string, error: Error) => void,
): Promise<Measurement> {
  const encoder = createSharpEncoder({ concurrency: 1, maxPixels });
  const photographs: MeasuredPhotograph[] = [];
  for (const original of originals) {
    try {
      photographs.push(await measurePhotograph(original, encoder, { ...prewarm, effort: prewarmEffort }));
    } catch (error) {
      onSkipped(original.name, error as Error);
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

async function measurePhotograph(
  { name, read }: Original,
  encoder: Encoder,
  { widths, tiers, formats, effort }: WantedVariants & { effort: Effort },
): Promise<MeasuredPhotograph> {
  const bytes = await read();
  const specs = widths.flatMap((width) =>
    tiers.flatMap((tier) => formats.map((format) => ({ width, tier, format }))),
  );
  const cpuMsPerRound: number[] = [];
  let variantBytes: number[] = [];
  let size = { width: 0, height: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage();
    const image = await encoder.decode(bytes, Math.max(...widths), 'prewarm');
    variantBytes = [];
    for (const spec of specs) variantBytes.push((await image.encode({ ...spec, effort })).body.byteLength);
    const { user, system } = process.cpuUsage(before);
    if (round > 0) cpuMsPerRound.push((user + system) / 1000);
    size = image.facts;
  }
  const { width, height } = size;
  return { name, width, height, bytes: bytes.byteLength, variantBytes, cpuMs: median(cpuMsPerRound) };
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
