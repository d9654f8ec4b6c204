import { MAX_BATCH_IMAGES, MAX_BATCH_UNITS } from '../../src/unit/ingest.ts';
import { type Figure, figure, roundDown, roundUp, show } from './figure.ts';
import type { PlanInputs } from './inputs.ts';
import { LIMITS } from './limits.ts';
import { busyWorkers, type Load, type Workers } from './load.ts';
import type { Store } from './requests.ts';
import { calculateUnitsPerMessage } from './units-per-message.ts';

/** How units are packed into messages, and how many SQS calls that takes. */
export function calculateQueue(inputs: PlanInputs, workers: Workers) {
  const { unitsPerHour, imagesPerUnit, messagesPerBatch } = inputs;
  const { secondsPerImage, waitSecondsPerImage, vcpus, maxConcurrency } = workers;
  const unitsPerMessage = calculateUnitsPerMessage(imagesPerUnit);
  const messagesPerHour = figure(
    'messages an hour',
    unitsPerHour / unitsPerMessage.value,
    `${show(unitsPerHour)} units ÷ ${show(unitsPerMessage)} a message`,
  );
  const batchesPerHour = figure(
    'invocations an hour',
    messagesPerHour.value / messagesPerBatch,
    `${show(messagesPerHour)} messages ÷ ${show(messagesPerBatch)} a batch`,
  );
  const unitsPerSend = calculateUnitsPerSend(imagesPerUnit);
  const callsPerSend = roundUp(roundUp(unitsPerSend.value / unitsPerMessage.value) / LIMITS.messagesPerCall);
  const sends = figure(
    'sends an hour',
    (unitsPerHour / unitsPerSend.value) * callsPerSend,
    `${show(unitsPerHour)} units ÷ ${show(unitsPerSend)} × ⌈⌈${show(unitsPerSend)} ÷ ${show(unitsPerMessage)}⌉ messages ÷ ${show(LIMITS.messagesPerCall)} a call⌉`,
  );
  const oneCallEach = `${show(batchesPerHour)} invocations × 1 call`;
  const receives = figure('receives an hour', batchesPerHour.value, oneCallEach);
  const deletes = figure('deletes an hour', batchesPerHour.value, oneCallEach);
  return {
    unitsPerMessage,
    messagesPerHour,
    batchesPerHour,
    unitsPerSend,
    sends,
    receives,
    deletes,
    calls: figure(
      'calls of SQS an hour',
      sends.value + receives.value + deletes.value,
      `${show(sends)} sends + ${show(receives)} receives + ${show(deletes)} deletes`,
    ),
    messagesInFlight: figure(
      'messages in flight',
      maxConcurrency.value * messagesPerBatch,
      `${show(maxConcurrency)} workers × ${show(messagesPerBatch)} messages`,
    ),
    batchSeconds: figure(
      'a batch takes',
      messagesPerBatch *
        unitsPerMessage.value *
        imagesPerUnit *
        (secondsPerImage.value / vcpus.value + waitSecondsPerImage.value),
      `${show(messagesPerBatch)} messages × ${show(unitsPerMessage)} units × ${show(imagesPerUnit)} images × (${show(secondsPerImage)} s ÷ ${show(vcpus)} vCPU + ${show(waitSecondsPerImage)} s waiting)`,
      's',
    ),
  };
}

export type Queue = ReturnType<typeof calculateQueue>;

/** How many units `ingestUnits` sends, and so packs, together. */
function calculateUnitsPerSend(images: number) {
  const label = 'units sent together';
  if (images * (MAX_BATCH_UNITS - 1) <= MAX_BATCH_IMAGES)
    return figure(label, MAX_BATCH_UNITS, `${show(MAX_BATCH_UNITS)}, the maximum`);
  return figure(
    label,
    roundDown(MAX_BATCH_IMAGES / images) + 1,
    `⌊${show(MAX_BATCH_IMAGES)} images ÷ ${show(images)} images⌋ + 1`,
  );
}

/** How long it takes until the workers run, and until the backlog is drained. */
export function calculateTime(
  inputs: PlanInputs,
  { imagesPerSecond }: Load,
  workers: Workers,
  { writesPerSecond }: Store,
) {
  const { maxConcurrency, capacityPerSecond } = workers;
  const busy = busyWorkers(workers);
  const growth = LIMITS.eventSourceGrowthPerMinute;
  const growthTime = (label: string, count: Figure) =>
    figure(label, (count.value / growth) * 60, `${show(count)} ÷ ${show(growth)} a minute × 60 s`, 's');
  const pollersReady = workers.containers
    ? containersReady('until enough containers run, at the latest')
    : growthTime('until enough batches are received', busy);
  const allReady = workers.maxContainers
    ? containersReady('until the maximum of containers')
    : growthTime('until the maximum of workers', maxConcurrency);
  const backlogImages = figure(
    'images in the backlog',
    inputs.backlogUnits * inputs.imagesPerUnit,
    `${show(inputs.backlogUnits)} units × ${show(inputs.imagesPerUnit)} images`,
  );
  const spare = figure(
    'spare images a second',
    capacityPerSecond.value - imagesPerSecond.value,
    `${show(capacityPerSecond)} images/s − ${show(imagesPerSecond)} images/s`,
  );
  // While the number of workers grows linearly, half of them are missing on average.
  const missed = figure(
    'images not made until then',
    (capacityPerSecond.value * allReady.value) / 2,
    `${show(capacityPerSecond)} images/s × ${show(allReady)} s ÷ 2`,
  );
  const toMake = backlogImages.value + missed.value;
  const toMakeFormula = `(${show(backlogImages)} + ${show(missed)})`;
  const newBucketRate = figure(
    'images a second that a new bucket takes',
    (LIMITS.writesPerSecond * imagesPerSecond.value) / writesPerSecond.value,
    `${show(LIMITS.writesPerSecond)} writes/s of one partition ÷ (${show(writesPerSecond)} writes/s ÷ ${show(imagesPerSecond)} images/s)`,
  );
  return {
    newBucketRate,
    pollersReady,
    environmentsReady: figure(
      'until their environments run',
      (busy.value / LIMITS.newEnvironments) * LIMITS.newEnvironmentsSeconds,
      `${show(busy)} ÷ ${show(LIMITS.newEnvironments)} × ${show(LIMITS.newEnvironmentsSeconds)} s`,
      's',
    ),
    backlogImages,
    allReady,
    missed,
    drainAlone: figure(
      'backlog done, if no more arrive',
      toMake / capacityPerSecond.value,
      `${toMakeFormula} ÷ ${show(capacityPerSecond)} images/s`,
      's',
    ),
    spare,
    ...(spare.value > 0 && {
      drain: figure(
        'backlog done, under this load',
        toMake / spare.value,
        `${toMakeFormula} ÷ ${show(spare)} images/s`,
        's',
      ),
    }),
  };
}

export type Time = ReturnType<typeof calculateTime>;

/** The last containers are started when the oldest message has waited for ten minutes (`infra/fargate-scaling.ts`). */
function containersReady(label: string): Figure {
  const [waitedSeconds, startSeconds] = [600, 60];
  return figure(
    label,
    waitedSeconds + startSeconds,
    `${waitedSeconds} s that the oldest message has waited + ${startSeconds} s to start, an assumption`,
    's',
  );
}

/**
 * Returns how long this many images take in a new bucket, if no more arrive, in seconds. The bucket has one partition, which bounds its writes
 * until S3 has split it in two.
 */
export function newBucketSeconds(
  images: number,
  { newBucketRate, missed, allReady }: Time,
  { capacityPerSecond }: Workers,
): number {
  const capacity = capacityPerSecond.value;
  const rate = Math.min(newBucketRate.value, capacity);
  const share = rate / capacity;
  // Until there are workers enough for what the bucket takes, half of them are missing on average.
  const missedAtRate = missed.value * share ** 2;
  const seconds = (images + missedAtRate) / rate;
  const splitAt = LIMITS.secondsToSplit + allReady.value * share;
  if (rate === capacity || seconds <= splitAt) return seconds;
  const madeBefore = rate * splitAt - missedAtRate;
  return splitAt + (images - madeBefore) / Math.min(2 * newBucketRate.value, capacity);
}
