import { SHARDS } from '../../../src/protocol/keys.ts';
import type { Plan } from '../calculate.ts';
import { LIMITS } from '../prices-and-limits.ts';
import { createEventQueue } from './event-queue.ts';
import { createPartitions, type StoreSecond } from './partitions.ts';
import { createRandom, type Random } from './random.ts';

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

/** What happened. Times are in seconds since the first unit was put on the queue. */
export interface Simulation {
  options: SimulationOptions;
  doneSeconds: number;
  enqueuedSeconds: number;
  minutes: readonly SimulatedMinute[];
  counts: SimulatedCounts;
  most: {
    /** The age of a message when a worker takes it. */
    ageSeconds: number;
    /** Messages in flight. */
    inFlight: number;
    workers: number;
    /** How long a request to S3 waits that is refused at first. */
    storeDelaySeconds: number;
    /** Writes a second of one shard, and of all. */
    shardWrites: number;
    writes: number;
  };
}

export interface SimulatedCounts {
  images: number;
  broken: number;
  /** Units that were purged before a worker began with them. */
  skippedUnits: number;
  purgedUnits: number;
  messages: number;
  invocations: number;
  queueCalls: number;
  /** Busy time of all workers. */
  workerSeconds: number;
  /** CPU time of images in it. */
  cpuSeconds: number;
  puts: number;
  gets: number;
  lists: number;
  deletes: number;
  /** Misses of viewers, made by the image function. */
  misses: number;
}

/** The state at the end of a minute, and rates in it. */
export interface SimulatedMinute {
  minute: number;
  sentUnits: number;
  doneUnits: number;
  waitingMessages: number;
  oldestSeconds: number;
  workers: number;
  imagesPerSecond: number;
  store: StoreSecond;
}

/** Standard deviation by mean, of the CPU times of images. An assumption, as the two times below: nobody has measured originals of the field. */
const SERVICE_VARIATION = 0.5;
/** A broken image takes a fetch and no encode. */
const BROKEN_CPU_SECONDS = 0.005;
/** Until the first original of a batch is there: the CPU has nothing to do. Later ones come while others are encoded. */
const FIRST_FETCH_SECONDS = 0.3;
/** Init of a new environment, as `npm run bench -- lambda` measures it. */
const INIT_SECONDS = 0.2;
/** With how many concurrent invocations an event source starts ("Lambda: scaling and processing for SQS event sources"). */
const FIRST_POLLERS = 5;
/** The units of a pack. */
const PACK_UNITS = 1000;

interface Message {
  sentAt: number;
  units: readonly SimulatedUnit[];
}

interface SimulatedUnit {
  shard: number;
  /** When it is purged; `undefined`: never. */
  purgedAt: number | undefined;
}

/** Plays a load through enqueue, queue, workers, store, viewers and purges. The same options give the same result. */
export function simulate(plan: Plan, options: SimulationOptions): Simulation {
  const world = createWorld(plan, options);
  startEnqueuing(world);
  startMinutes(world);
  world.events.runAll();
  world.partitions.advanceTo(world.doneSeconds);
  const { minutes, counts, doneSeconds, enqueuedSeconds, most } = world;
  return { options, doneSeconds, enqueuedSeconds, minutes, counts, most };
}

function createWorld(plan: Plan, options: SimulationOptions) {
  const { units, enqueuedPerSecond } = options;
  // Three times what the plan's arithmetic says, and an hour: enough for whatever delays there are.
  const longest = Math.ceil(3 * (units / enqueuedPerSecond + plan.time.drainAlone.value) + 3600);
  return {
    plan,
    options,
    random: createRandom(options.seed),
    events: createEventQueue(),
    partitions: createPartitions(longest),
    waiting: [] as Message[],
    /** How many of `waiting` have been taken. */
    taken: 0,
    sentUnits: 0,
    doneUnits: 0,
    doneImages: 0,
    busy: 0,
    /** Environments that have run before. */
    warm: 0,
    inFlight: 0,
    minutes: [] as SimulatedMinute[],
    counts: newCounts(),
    doneSeconds: 0,
    enqueuedSeconds: 0,
    most: { ageSeconds: 0, inFlight: 0, workers: 0, storeDelaySeconds: 0, shardWrites: 0, writes: 0 },
  };
}

type World = ReturnType<typeof createWorld>;

function newCounts(): SimulatedCounts {
  const work = { images: 0, broken: 0, skippedUnits: 0, purgedUnits: 0, messages: 0, invocations: 0 };
  const time = { queueCalls: 0, workerSeconds: 0, cpuSeconds: 0 };
  return { ...work, ...time, puts: 0, gets: 0, lists: 0, deletes: 0, misses: 0 };
}

/** One process sends a batch after the other: a pack, its note, and the messages of its units. */
function startEnqueuing(world: World): void {
  const { options, plan, events, partitions, counts, random } = world;
  const perMessage = plan.queue.unitsPerMessage.value;

  function sendBatch(at: number): void {
    const count = Math.min(plan.queue.unitsPerSend.value, options.units - world.sentUnits);
    const units = Array.from({ length: count }, () => newUnit(world, at));
    for (let start = 0; start < count; start += perMessage)
      world.waiting.push({ sentAt: at, units: units.slice(start, start + perMessage) });
    const messages = Math.ceil(count / perMessage);
    counts.messages += messages;
    counts.queueCalls += Math.ceil(messages / LIMITS.messagesPerCall);
    // A pack and a note. Both are in one partition with the first shard until S3 splits the bucket.
    const puts = 2 * Math.ceil(count / PACK_UNITS);
    counts.puts += puts;
    partitions.add('writes', random.below(SHARDS), puts, at, at);
    world.sentUnits += count;
    world.enqueuedSeconds = at;
    startWorkers(world, at);
    if (world.sentUnits < options.units) events.add(at + count / options.enqueuedPerSecond, sendBatch);
  }
  events.add(0, sendBatch);
}

function newUnit({ random, plan }: World, at: number): SimulatedUnit {
  const { purgedShare } = plan.inputs;
  const isPurged = random.next() < purgedShare;
  return { shard: random.below(SHARDS), purgedAt: isPurged ? at + random.next() * 3600 : undefined };
}

/** The most invocations that the event source has at this time. */
function allowedWorkers({ plan }: World, at: number): number {
  const grown = FIRST_POLLERS + (at / 60) * LIMITS.eventSourceGrowthPerMinute;
  return Math.min(plan.workers.maxConcurrency.value, Math.floor(grown));
}

function startWorkers(world: World, at: number): void {
  const { plan, waiting } = world;
  const { messagesPerBatch } = plan.inputs;
  while (world.busy < allowedWorkers(world, at) && world.taken < waiting.length) {
    if (world.inFlight + messagesPerBatch > LIMITS.messagesInFlight) return;
    const batch = waiting.slice(world.taken, world.taken + messagesPerBatch);
    world.taken += batch.length;
    invoke(world, batch, at);
  }
}

function invoke(world: World, batch: readonly Message[], at: number): void {
  const { counts, events, partitions } = world;
  world.busy++;
  world.inFlight += batch.length;
  counts.invocations++;
  // One to receive, one to delete.
  counts.queueCalls += 2;
  const units = batch.flatMap((message) => message.units);
  const init = world.busy > world.warm ? INIT_SECONDS : 0;
  world.warm = Math.max(world.warm, world.busy);
  const work = workOn(world, units, at);
  partitions.advanceTo(at);
  const storeDelaySeconds = partitions.delaySeconds();
  const seconds = init + FIRST_FETCH_SECONDS + work.seconds + storeDelaySeconds;
  const store = partitions.history.at(-1);
  raise(world.most, {
    ...{ ageSeconds: at - (batch[0]?.sentAt ?? at), inFlight: world.inFlight, workers: world.busy },
    ...{ storeDelaySeconds, shardWrites: store?.busiestShardWrites ?? 0, writes: store?.writes ?? 0 },
  });
  counts.workerSeconds += seconds - init;
  for (const unit of units) addRequests(world, unit, at, at + seconds);
  events.add(at + seconds, (end) => {
    world.busy--;
    world.inFlight -= batch.length;
    world.doneUnits += units.length;
    world.doneImages += work.images;
    world.doneSeconds = Math.max(world.doneSeconds, end);
    startWorkers(world, end);
  });
}

function raise(most: Simulation['most'], now: Simulation['most']): void {
  for (const name of Object.keys(most) as (keyof Simulation['most'])[])
    most[name] = Math.max(most[name], now[name]);
}

/** Returns how long the images of these units take with the vCPUs of one worker. A unit that was purged before takes none. */
function workOn(world: World, units: readonly SimulatedUnit[], at: number) {
  const { plan, options, counts, random } = world;
  const { imagesPerUnit } = plan.inputs;
  let cpuSeconds = 0;
  let images = 0;
  for (const { purgedAt = Number.POSITIVE_INFINITY } of units) {
    if (purgedAt <= at) {
      counts.skippedUnits++;
      continue;
    }
    images += imagesPerUnit;
    for (let image = 0; image < imagesPerUnit; image++) {
      const isBroken = random.next() < options.brokenShare;
      if (isBroken) counts.broken++;
      cpuSeconds += isBroken ? BROKEN_CPU_SECONDS : serviceSeconds(plan, options, random);
    }
  }
  counts.images += images;
  counts.cpuSeconds += cpuSeconds;
  return { images, seconds: cpuSeconds / plan.workers.vcpus.value };
}

function serviceSeconds(plan: Plan, { measuredMs }: SimulationOptions, random: Random): number {
  if (measuredMs) return (measuredMs[random.below(measuredMs.length)] ?? 0) / 1000;
  return random.logNormal(plan.workers.secondsPerImage.value, SERVICE_VARIATION);
}

/** The requests to S3 of a unit, while it is worked on and later: its work, its views, its purge. */
function addRequests(world: World, { shard, purgedAt }: SimulatedUnit, from: number, to: number): void {
  const { plan, options, counts, partitions, random } = world;
  const { store, purges, inputs } = plan;
  const isSkipped = purgedAt !== undefined && purgedAt <= from;
  if (!isSkipped) {
    counts.puts += store.puts.value;
    counts.gets += store.gets.value;
    counts.lists += store.lists.value;
    partitions.add('writes', shard, store.puts.value, from, to);
    partitions.add('reads', shard, store.gets.value + store.lists.value, from, to);
    const views = inputs.imagesPerUnit * inputs.viewsPerImage;
    const early = Math.floor(views * options.earlyViewShare + random.next());
    counts.misses += early;
    counts.puts += early;
    const fromStore = views * (1 - inputs.cdnHitShare);
    partitions.add('reads', shard, fromStore, to, to + 3600);
  }
  if (purgedAt === undefined) return;
  counts.purgedUnits++;
  const deletes = isSkipped ? 0 : store.objects.value;
  counts.deletes += deletes;
  counts.puts += purges.putsPerPurge.value;
  partitions.add('writes', shard, deletes + purges.putsPerPurge.value, purgedAt, purgedAt);
}

/** Looks at everything once a minute, until all is done. */
function startMinutes(world: World): void {
  const { events, options, minutes, partitions } = world;
  let imagesBefore = 0;
  function look(at: number): void {
    partitions.advanceTo(at);
    const oldest = world.waiting[world.taken];
    const store = partitions.history.at(-1);
    if (store)
      minutes.push({
        minute: Math.round(at / 60),
        sentUnits: world.sentUnits,
        doneUnits: world.doneUnits,
        waitingMessages: world.waiting.length - world.taken,
        oldestSeconds: oldest ? at - oldest.sentAt : 0,
        workers: world.busy,
        imagesPerSecond: (world.doneImages - imagesBefore) / 60,
        store,
      });
    imagesBefore = world.doneImages;
    // The event source starts more pollers with the time, not only when others end.
    startWorkers(world, at);
    if (world.doneUnits < options.units) events.add(at + 60, look);
  }
  for (let second = 1; second < 180; second++) events.add(second, (at) => startWorkers(world, at));
  events.add(60, look);
}
