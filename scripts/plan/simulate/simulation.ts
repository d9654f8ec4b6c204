import type { Plan } from '../calculate.ts';
import { LIMITS } from '../limits.ts';
import { createEventQueue } from './event-queue.ts';
import { createLoad, type LoadCounts, type SimulatedUnit, type SimulationOptions } from './load.ts';
import { createPartitions, type StoreSecond } from './partitions.ts';

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

export interface SimulatedCounts extends LoadCounts {
  messages: number;
  invocations: number;
  queueCalls: number;
  /** Busy time of all workers. */
  workerSeconds: number;
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

/** Init of a new environment, as `npm run bench -- lambda` measures it. */
const INIT_SECONDS = 0.2;
/** With how many concurrent invocations an event source starts ("Lambda: scaling and processing for SQS event sources"). */
const FIRST_POLLERS = 5;
interface Message {
  sentAt: number;
  units: readonly SimulatedUnit[];
}

/** Plays a load through enqueue, queue, workers, store, viewers and purges. The same options give the same result. */
export function simulate(plan: Plan, options: SimulationOptions): Simulation {
  const world = createWorld(plan, options);
  startEnqueuing(world);
  startMinutes(world);
  world.events.runAll();
  world.partitions.advanceTo(world.doneSeconds);
  const { minutes, doneSeconds, enqueuedSeconds, most } = world;
  const counts = { ...world.load.counts, ...world.counts };
  return { options, doneSeconds, enqueuedSeconds, minutes, counts, most };
}

function createWorld(plan: Plan, options: SimulationOptions) {
  const { units, enqueuedPerSecond } = options;
  // Three times what the plan's arithmetic says, and an hour: enough for whatever delays there are.
  const longest = Math.ceil(3 * (units / enqueuedPerSecond + plan.time.drainAlone.value) + 3600);
  const partitions = createPartitions(longest);
  return {
    plan,
    options,
    load: createLoad(plan, options, partitions),
    events: createEventQueue(),
    partitions,
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
    counts: { messages: 0, invocations: 0, queueCalls: 0, workerSeconds: 0 },
    doneSeconds: 0,
    enqueuedSeconds: 0,
    most: { ageSeconds: 0, inFlight: 0, workers: 0, storeDelaySeconds: 0, shardWrites: 0, writes: 0 },
  };
}

type World = ReturnType<typeof createWorld>;

/** One process sends a batch after the other: a pack, its note, and the messages of its units. */
function startEnqueuing(world: World): void {
  const { options, plan, events, counts, load } = world;
  const perMessage = plan.queue.unitsPerMessage.value;

  function sendBatch(at: number): void {
    const count = Math.min(plan.queue.unitsPerSend.value, options.units - world.sentUnits);
    const units = Array.from({ length: count }, () => load.newUnit(at));
    for (let start = 0; start < count; start += perMessage)
      world.waiting.push({ sentAt: at, units: units.slice(start, start + perMessage) });
    const messages = Math.ceil(count / perMessage);
    counts.messages += messages;
    counts.queueCalls += Math.ceil(messages / LIMITS.messagesPerCall);
    load.addPacks(count, at);
    world.sentUnits += count;
    world.enqueuedSeconds = at;
    startWorkers(world, at);
    if (world.sentUnits < options.units) events.add(at + count / options.enqueuedPerSecond, sendBatch);
  }
  events.add(0, sendBatch);
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
  const { plan, counts, events, partitions, load } = world;
  world.busy++;
  world.inFlight += batch.length;
  counts.invocations++;
  // One to receive, one to delete.
  counts.queueCalls += 2;
  const units = batch.flatMap((message) => message.units);
  const init = world.busy > world.warm ? INIT_SECONDS : 0;
  world.warm = Math.max(world.warm, world.busy);
  const work = load.workOf(units, at);
  partitions.advanceTo(at);
  const storeDelaySeconds = partitions.delaySeconds();
  const waitSeconds = work.images * plan.workers.waitSecondsPerImage.value;
  const seconds = init + waitSeconds + work.cpuSeconds / plan.workers.vcpus.value + storeDelaySeconds;
  const store = partitions.history.at(-1);
  raise(world.most, {
    ...{ ageSeconds: at - (batch[0]?.sentAt ?? at), inFlight: world.inFlight, workers: world.busy },
    ...{ storeDelaySeconds, shardWrites: store?.busiestShardWrites ?? 0, writes: store?.writes ?? 0 },
  });
  counts.workerSeconds += seconds - init;
  for (const unit of units) load.addRequests(unit, at, at + seconds);
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
