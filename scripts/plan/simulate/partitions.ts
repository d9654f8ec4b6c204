import { SHARDS } from '../../../src/protocol/keys.ts';
import { LIMITS } from '../limits.ts';

/** S3 as far as it limits requests: a bucket of partitions, each a range of the shards, which S3 splits where they are busy. */
export interface Partitions {
  /** Adds requests to a shard, spread evenly over some seconds. */
  add(kind: 'writes' | 'reads', shard: number, count: number, fromSeconds: number, toSeconds: number): void;
  /** Counts all seconds before this one. */
  advanceTo(seconds: number): void;
  /** How long a request waits that is made now, in seconds: those that S3 refuses are made again. */
  delaySeconds(): number;
  /** Of each second so far. */
  history: readonly StoreSecond[];
}

export interface StoreSecond {
  writes: number;
  reads: number;
  /** Requests that S3 has refused (503, Slow Down) and that are made again. */
  waiting: number;
  /** Writes of the busiest shard. */
  busiestShardWrites: number;
  partitions: number;
}

const RATE = { writes: LIMITS.writesPerSecond, reads: LIMITS.readsPerSecond };

type Kind = keyof typeof RATE;

interface Partition {
  firstShard: number;
  shards: number;
  /** Requests that were refused and wait to be made again. */
  waiting: { writes: number; reads: number };
  busySeconds: number;
}

/** @param seconds - the longest that is simulated */
export function createPartitions(seconds: number): Partitions {
  /** By second and shard, how much the rate changes then: requests that go on for an hour are two numbers. */
  const changes = {
    writes: new Float64Array((seconds + 1) * SHARDS),
    reads: new Float64Array((seconds + 1) * SHARDS),
  };
  /** By shard, in the second that is counted. */
  const rates = { writes: new Float64Array(SHARDS), reads: new Float64Array(SHARDS) };
  let partitions: Partition[] = [newPartition(0, SHARDS)];
  const history: StoreSecond[] = [];

  /** Returns how many requests of a partition wait after a second. */
  function serve({ waiting, firstShard, shards }: Partition, kind: Kind): number {
    let wanted = waiting[kind];
    for (let shard = firstShard; shard < firstShard + shards; shard++) wanted += rates[kind][shard] ?? 0;
    waiting[kind] = Math.max(wanted - RATE[kind], 0);
    return waiting[kind];
  }

  function addChange(kind: Kind, index: number, difference: number): void {
    changes[kind][index] = (changes[kind][index] ?? 0) + difference;
  }

  function moveTo(second: number, kind: Kind): { sum: number; most: number } {
    let [sum, most] = [0, 0];
    for (let shard = 0; shard < SHARDS; shard++) {
      const rate = (rates[kind][shard] ?? 0) + (changes[kind][second * SHARDS + shard] ?? 0);
      rates[kind][shard] = rate;
      sum += rate;
      most = Math.max(most, rate);
    }
    return { sum, most };
  }

  function countSecond(second: number): void {
    const writes = moveTo(second, 'writes');
    const reads = moveTo(second, 'reads');
    let waiting = 0;
    for (const partition of partitions) {
      const ofPartition = serve(partition, 'writes') + serve(partition, 'reads');
      waiting += ofPartition;
      if (ofPartition > 0) partition.busySeconds++;
    }
    partitions = partitions.flatMap(splitIfBusy);
    const ofStore = { waiting, partitions: partitions.length };
    history.push({ writes: writes.sum, reads: reads.sum, busiestShardWrites: writes.most, ...ofStore });
  }

  return {
    history,
    add(kind, shard, count, from, to) {
      const first = Math.min(Math.floor(from), seconds - 1);
      const last = Math.min(Math.max(Math.floor(to), first), seconds - 1);
      const each = count / (last - first + 1);
      addChange(kind, first * SHARDS + shard, each);
      addChange(kind, (last + 1) * SHARDS + shard, -each);
    },
    advanceTo(now) {
      while (history.length < Math.min(Math.floor(now), seconds)) countSecond(history.length);
    },
    delaySeconds: () =>
      Math.max(
        ...partitions.map(({ waiting }) =>
          Math.max(waiting.writes / RATE.writes, waiting.reads / RATE.reads),
        ),
      ),
  };
}

function newPartition(firstShard: number, shards: number): Partition {
  return { firstShard, shards, waiting: { writes: 0, reads: 0 }, busySeconds: 0 };
}

function splitIfBusy(partition: Partition): Partition[] {
  const { firstShard, shards, busySeconds, waiting } = partition;
  if (busySeconds < LIMITS.secondsToSplit || shards === 1) return [partition];
  const half = shards / 2;
  const parts = [newPartition(firstShard, half), newPartition(firstShard + half, half)];
  for (const part of parts) part.waiting = { writes: waiting.writes / 2, reads: waiting.reads / 2 };
  return parts;
}
