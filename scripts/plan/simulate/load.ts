import { SHARDS } from '../../../src/protocol/keys.ts';
import type { Plan } from '../calculate.ts';
import type { Partitions } from './partitions.ts';
import { createRandom } from './random.ts';

export interface SimulationOptions {
  seed: number;
  /** How many units there are. */
  units: number;
  /** Units that are put on the queue a second; the last ones come when they are all there. */
  enqueuedPerSecond: number;
  /** The share of images that are broken: 0 to 1. */
  brokenShare: number;
  /** The share of views that come before their image is made: 0 to 1. */
  earlyViewShare: number;
  /** CPU times of images that were measured, in milliseconds, with the mean of the plan; without them: log-normal. */
  measuredMs?: readonly number[];
}

/** What the load asked for. */
export interface LoadCounts {
  images: number;
  broken: number;
  /** Units that were purged before a worker began with them. */
  skippedUnits: number;
  purgedUnits: number;
  /** CPU time of images. */
  cpuSeconds: number;
  puts: number;
  gets: number;
  lists: number;
  deletes: number;
  /** Misses of viewers, made by the image function. */
  misses: number;
}

export interface SimulatedUnit {
  shard: number;
  /** When it is purged; `undefined`: never. */
  purgedAt: number | undefined;
}

/** Standard deviation by mean, of the CPU times of images. An assumption, as the times in simulation.ts: nobody has measured originals of the field. */
const CPU_VARIATION = 0.5;
/** A broken image takes a fetch and no encode. */
const BROKEN_CPU_SECONDS = 0.005;
/** The units of a pack. */
const PACK_UNITS = 1000;

/**
 * Draws what chance decides of a load: which images are broken, how long each takes, which units are purged and when, and which shard each is in.
 * What it asks of S3 goes to the partitions. The same seed draws the same, in the order of calls.
 */
export function createLoad(plan: Plan, options: SimulationOptions, partitions: Partitions) {
  const { inputs, store, purges, workers } = plan;
  const random = createRandom(options.seed);
  const work = { images: 0, broken: 0, skippedUnits: 0, purgedUnits: 0, cpuSeconds: 0 };
  const counts: LoadCounts = { ...work, puts: 0, gets: 0, lists: 0, deletes: 0, misses: 0 };

  function newUnit(at: number): SimulatedUnit {
    const isPurged = random.next() < inputs.purgedShare;
    return { shard: random.below(SHARDS), purgedAt: isPurged ? at + random.next() * 3600 : undefined };
  }

  /** The packs of so many units, and a note for each: both are in one partition with the first shard until S3 splits the bucket. */
  function addPacks(units: number, at: number): void {
    const puts = 2 * Math.ceil(units / PACK_UNITS);
    counts.puts += puts;
    partitions.add('writes', random.below(SHARDS), puts, at, at);
  }

  function drawImageSeconds(): number {
    if (random.next() < options.brokenShare) {
      counts.broken++;
      return BROKEN_CPU_SECONDS;
    }
    const { measuredMs } = options;
    if (measuredMs) return (measuredMs[random.below(measuredMs.length)] ?? 0) / 1000;
    return random.logNormal(workers.secondsPerImage.value, CPU_VARIATION);
  }

  /** Returns the CPU time of the images of these units, and their number. A unit that was purged before has none. */
  function workOf(units: readonly SimulatedUnit[], at: number) {
    let cpuSeconds = 0;
    let images = 0;
    for (const { purgedAt = Number.POSITIVE_INFINITY } of units) {
      if (purgedAt <= at) {
        counts.skippedUnits++;
        continue;
      }
      images += inputs.imagesPerUnit;
      for (let image = 0; image < inputs.imagesPerUnit; image++) cpuSeconds += drawImageSeconds();
    }
    counts.images += images;
    counts.cpuSeconds += cpuSeconds;
    return { images, cpuSeconds };
  }

  /** The requests of prewarm for a unit, and of its views in the hour after that. */
  function addWorkAndViews(shard: number, from: number, to: number): void {
    counts.puts += store.puts.value;
    counts.gets += store.gets.value;
    counts.lists += store.lists.value;
    partitions.add('writes', shard, store.puts.value, from, to);
    partitions.add('reads', shard, store.gets.value + store.lists.value, from, to);
    const views = inputs.imagesPerUnit * inputs.viewsPerImage;
    const early = Math.floor(views * options.earlyViewShare + random.next());
    counts.misses += early;
    counts.puts += early;
    partitions.add('reads', shard, views * (1 - inputs.cdnHitShare), to, to + 3600);
  }

  /** The requests to S3 of a unit that is worked on from one time to another: its work, its views, its purge. */
  function addRequests({ shard, purgedAt }: SimulatedUnit, from: number, to: number): void {
    const isSkipped = purgedAt !== undefined && purgedAt <= from;
    if (!isSkipped) addWorkAndViews(shard, from, to);
    if (purgedAt === undefined) return;
    counts.purgedUnits++;
    const deletes = isSkipped ? 0 : store.objects.value;
    counts.deletes += deletes;
    counts.puts += purges.putsPerPurge.value;
    partitions.add('writes', shard, deletes + purges.putsPerPurge.value, purgedAt, purgedAt);
  }

  return { counts, newUnit, addPacks, workOf, addRequests };
}
