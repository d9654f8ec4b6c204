import { adviseOnShield, compareFlatRates, type FlatRates, type ShieldAdvice } from './cdn-advice.ts';
import { addContainers, comparePlaces, type Places } from './containers.ts';
import { type Cost, calculateCost } from './cost.ts';
import { calculateEfforts, type Efforts } from './effort.ts';
import { dollars, type Figure, figure, formatPrice, show } from './figure.ts';
import type { PlanInputs } from './inputs.ts';
import { LIMITS, MILLION } from './limits.ts';
import {
  adviceBeyondOneStack,
  calculateLoad,
  calculateWorkers,
  type Load,
  type StackOptions,
  type Workers,
  workerStackOptions,
} from './load.ts';
import { calculateQueue, calculateTime, type Queue, type Time } from './queue.ts';
import { compareQuotas, type Quota } from './quotas.ts';
import {
  calculatePurges,
  calculateStore,
  calculateUnitRequests,
  type Purges,
  type Store,
} from './requests.ts';
import { calculateViews, type Views } from './views.ts';
import { calculateWaiting } from './waiting.ts';

/** Everything that follows from the inputs. `plan --json` prints it, with `inputs` as `given`. */
export interface Plan {
  inputs: PlanInputs;
  /** The CDK options to deploy with. */
  stackOptions: StackOptions;
  /** What to change where one stack is not enough. */
  beyondOneStack: string | undefined;
  load: Load;
  workers: Workers;
  queue: Queue;
  store: Store;
  views: Views;
  purges: Purges;
  quotas: readonly Quota[];
  time: Time;
  cost: Cost;
  /** The same work on Lambda, Fargate and Fargate Spot. */
  places: Places;
  flatRates: FlatRates;
  shield: ShieldAdvice;
  /** The cost of purging a million units one by one, compared with making them. */
  purgeEverything: { purged: Figure; made: Figure; times: Figure };
  effort: Efforts;
}

/** Calculates the plan. Pure: no I/O and no state. */
export function calculatePlan(inputs: PlanInputs): Plan {
  const load = calculateLoad(inputs);
  const workers = calculatePlanWorkers(inputs);
  const beyondOneStack = adviceBeyondOneStack(inputs, workers);
  const queue = calculateQueue(inputs, workers);
  const unit = calculateUnitRequests(inputs, load);
  const views = calculateViews(inputs, load);
  const purges = calculatePurges(inputs, unit);
  const store = calculateStore(inputs, load, { unit, purges, views });
  const parts = { load, workers, queue, store, views, purges };
  const cost = calculateCost(inputs, parts);
  return {
    inputs,
    stackOptions: stackOptionsOf(inputs, workers),
    beyondOneStack,
    ...parts,
    quotas: compareQuotas({ inputs, ...parts, beyondOneStack }),
    time: calculateTime(inputs, load, workers, store),
    cost,
    places: comparePlaces(inputs, load, workers, cost),
    flatRates: compareFlatRates(views, cost),
    shield: adviseOnShield(inputs, views),
    purgeEverything: comparePurgesWithMaking(inputs, cost),
    effort: calculateEfforts(inputs, load, workers, views),
  };
}

/** The workers, on Lambda alone, or in containers with a few functions beside them. */
function calculatePlanWorkers(inputs: PlanInputs): Workers {
  const { containers } = inputs;
  const waiting = calculateWaiting(inputs);
  if (!containers) return calculateWorkers({ ...inputs, waiting });
  const maxConcurrency = inputs.maxConcurrency ?? LIMITS.leastEventSourceConcurrency;
  return addContainers(calculateWorkers({ ...inputs, waiting, maxConcurrency }), containers);
}

function stackOptionsOf(inputs: PlanInputs, workers: Workers): StackOptions {
  const { containers, messagesPerBatch } = inputs;
  const functions = { ...workerStackOptions(inputs, workers), workerBatchSize: messagesPerBatch };
  if (!containers || !workers.maxContainers) return functions;
  return { fargateMaxTasks: workers.maxContainers.value, fargateVcpus: containers.vcpus, ...functions };
}

function comparePurgesWithMaking(
  { unitsPerHour, prices }: PlanInputs,
  { making }: Cost,
): Plan['purgeEverything'] {
  const purged = dollars(
    'a million units purged',
    MILLION * prices.usdPerTag,
    `${show(MILLION)} tags × ${formatPrice(prices.usdPerTag)}`,
  );
  const made = dollars(
    'a million units made',
    (making.value / unitsPerHour) * MILLION,
    `${show(making)} ÷ ${show(unitsPerHour)} units × ${show(MILLION)}`,
  );
  const times = figure(
    'purging them costs',
    purged.value / made.value,
    `${show(purged)} ÷ ${show(made)}`,
    'times',
  );
  return { purged, made, times };
}
