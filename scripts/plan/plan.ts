import { type Cost, planCost } from './cost.ts';
import { type Efforts, planEfforts } from './effort.ts';
import { type Figure, figure, usd } from './figure.ts';
import type { Given } from './given.ts';
import { MILLION } from './limits.ts';
import { type Load, planLoad, planWorkers, type Workers } from './load.ts';
import { PRICES } from './prices.ts';
import { type Purges, planPurges } from './purges.ts';
import { planQueue, type Queue } from './queue.ts';
import { planQuotas, type Quota } from './quotas.ts';
import { describeBeyond, type StackOptions, stackOptionsOf } from './stack-options.ts';
import { planStore, type Store } from './store.ts';
import { planTime, type Time } from './time.ts';
import { planUnitRequests } from './unit-requests.ts';
import { planViews, type Views } from './views.ts';

/** All that follows from what is given. */
export interface Plan {
  given: Given;
  /** Of the stack, to be deployed with. */
  stackOptions: StackOptions;
  /** What to do where one stack is not enough. */
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
  /** A million units, purged one by one, and made. */
  purgeEverything: { purged: Figure; made: Figure; times: Figure };
  effort: Efforts;
}

/** Works a plan out. No I/O, and no state: the same is given, the same comes out. */
export function plan(given: Given): Plan {
  const load = planLoad(given);
  const workers = planWorkers(given);
  const beyondOneStack = describeBeyond(given, workers);
  const queue = planQueue(given, workers);
  const unit = planUnitRequests(given, load);
  const views = planViews(given, load);
  const purges = planPurges(given, unit);
  const store = planStore(given, load, { unit, purges, views });
  const parts = { load, workers, queue, store, views, purges };
  const cost = planCost(given, parts);
  return {
    given,
    stackOptions: { ...stackOptionsOf(given, workers), workerBatchSize: given.messagesPerBatch },
    beyondOneStack,
    ...parts,
    quotas: planQuotas({ ...parts, beyondOneStack }),
    time: planTime(given, load, workers),
    cost,
    purgeEverything: comparePurges(given, cost),
    effort: planEfforts(given, load, workers),
  };
}

function comparePurges({ unitsPerHour }: Given, { making }: Cost): Plan['purgeEverything'] {
  const purged = figure('a million units purged', '$')`${MILLION} tags × ${usd(PRICES.usdPerTag)}`;
  const made = figure('a million units made', '$')`${making} ÷ ${unitsPerHour} units × ${MILLION}`;
  return { purged, made, times: figure('purging them costs', 'times')`${purged} ÷ ${made}` };
}
