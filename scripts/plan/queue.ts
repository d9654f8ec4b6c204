import { MAX_IMAGES, MAX_JOBS } from '../../src/queue/message.ts';
import { IMAGES_AT_ONCE, UNITS_AT_ONCE } from '../../src/unit/ingest.ts';
import { figure } from './figure.ts';
import type { Given } from './given.ts';
import { LIMITS } from './limits.ts';
import type { Workers } from './load.ts';

/** How units travel in messages, and how often SQS is called for that. */
export function planQueue(given: Given, workers: Workers) {
  const unitsPerMessage = planPacking(given.imagesPerUnit);
  const messagesPerHour = figure(
    'messages an hour',
  )`${given.unitsPerHour} units ÷ ${unitsPerMessage} a message`;
  const batchesPerHour = figure(
    'invocations an hour',
  )`${messagesPerHour} messages ÷ ${given.messagesPerBatch} a batch`;
  const unitsPerSend = planIntake(given.imagesPerUnit);
  const sends = figure(
    'sends an hour',
  )`${given.unitsPerHour} units ÷ ${unitsPerSend} × ⌈⌈${unitsPerSend} ÷ ${unitsPerMessage}⌉ messages ÷ ${LIMITS.messagesPerCall} a call⌉`;
  const receives = figure('receives an hour')`${batchesPerHour} invocations × ${1} call`;
  const deletes = figure('deletes an hour')`${batchesPerHour} invocations × ${1} call`;
  return {
    unitsPerMessage,
    messagesPerHour,
    batchesPerHour,
    unitsPerSend,
    sends,
    receives,
    deletes,
    calls: figure('calls of SQS an hour')`${sends} sends + ${receives} receives + ${deletes} deletes`,
    messagesInFlight: figure(
      'messages in hand at once',
    )`${workers.maxConcurrency} workers × ${given.messagesPerBatch} messages`,
    batchSeconds: figure(
      'a batch takes',
      's',
    )`${given.messagesPerBatch} messages × ${unitsPerMessage} units × ${given.imagesPerUnit} images × ${workers.secondsPerImage} s ÷ ${workers.vcpus} vCPU`,
  };
}

export type Queue = ReturnType<typeof planQueue>;

/** How `packMessages` packs units that all have so many images. */
function planPacking(images: number) {
  const label = 'units a message';
  if (images > MAX_IMAGES) return figure(label)`${1}, since a unit alone has more than enough images`;
  if (images * MAX_JOBS <= MAX_IMAGES) return figure(label)`${MAX_JOBS}, the most`;
  return figure(label)`⌊${MAX_IMAGES} images ÷ ${images} images⌋`;
}

/** How many units `takeIn` sends together, and so packs together. */
function planIntake(images: number) {
  const label = 'units sent together';
  if (images * (UNITS_AT_ONCE - 1) <= IMAGES_AT_ONCE) return figure(label)`${UNITS_AT_ONCE}, the most`;
  return figure(label)`⌊${IMAGES_AT_ONCE} images ÷ ${images} images⌋ + ${1}`;
}
