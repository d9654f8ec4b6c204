import type { Plan } from '../calculate.ts';
import { LIMITS, MILLION } from '../limits.ts';
import { newBucketSeconds } from '../queue.ts';
import type { Simulation } from './simulation.ts';

/** A figure of the simulation beside the one that the plan's arithmetic gives. */
export interface Comparison {
  name: string;
  unit: '' | 's' | '$';
  simulated: number;
  calculated: number;
  /** Simulated ÷ calculated. */
  ratio: number;
}

/** Compares a simulation with the plan: time until all is done, calls of the queue, requests to S3, and the cost of making. */
export function compareWithPlan(plan: Plan, simulation: Simulation): Comparison[] {
  const { counts, options, enqueuedSeconds } = simulation;
  const share = options.units / plan.inputs.unitsPerHour;
  const { vcpus } = plan.workers;
  // The plan's backlog is there at the start; here, the last units come when they have been put on the queue.
  const images = options.units * plan.inputs.imagesPerUnit;
  const drainSeconds = newBucketSeconds(images, plan.time, plan.workers);
  const gbSeconds = (counts.workerSeconds * plan.inputs.memoryMb) / 1024;
  const viewerPuts = counts.misses;
  const { prices } = plan.inputs;
  const { purges, store, cost, queue } = plan;
  const purgePuts = counts.purgedUnits * purges.putsPerPurge.value;
  const making =
    gbSeconds * prices.usdPerGbSecond +
    (counts.invocations * prices.usdPerMillionInvocations +
      counts.queueCalls * prices.usdPerMillionQueueCalls +
      (counts.puts - viewerPuts - purgePuts + counts.lists) * prices.usdPerMillionPuts +
      counts.gets * prices.usdPerMillionGets) /
      MILLION +
    cost.logs.value * share;
  const compare = (name: string, unit: Comparison['unit'], simulated: number, calculated: number) => ({
    ...{ name, unit, simulated, calculated },
    ratio: calculated === 0 ? 1 : simulated / calculated,
  });
  return [
    compare('all units are done after', 's', simulation.doneSeconds, Math.max(drainSeconds, enqueuedSeconds)),
    compare('calls of SQS', '', counts.queueCalls, queue.calls.value * share),
    compare(
      'puts and lists of S3, work',
      '',
      counts.puts - viewerPuts - purgePuts + counts.lists,
      options.units * (store.puts.value + store.lists.value),
    ),
    compare(
      'vCPU seconds of workers',
      's',
      counts.workerSeconds * vcpus.value,
      options.units *
        plan.inputs.imagesPerUnit *
        (plan.workers.secondsPerImage.value + plan.workers.waitSecondsPerImage.value * vcpus.value),
    ),
    compare('cost of making', '$', making, cost.making.value * share),
    compare(
      'most messages in flight',
      '',
      simulation.most.inFlight,
      Math.min(queue.messagesInFlight.value, LIMITS.messagesInFlight),
    ),
  ];
}
