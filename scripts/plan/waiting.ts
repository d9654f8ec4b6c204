import type { Config } from '../../src/config.ts';
import { type Figure, figure, show } from './figure.ts';
import type { PlanInputs } from './inputs.ts';
import { LIMITS } from './limits.ts';
import { calculateUnitsPerMessage } from './units-per-message.ts';

/** How long an original is assumed to take, in milliseconds. */
export const ASSUMED_FETCH_MS = 500;
/** Originals that the worker function fetches at a time from one host, unless `prewarmFetchesPerHost` says otherwise. */
const FETCHES_PER_HOST = 4;

type WaitingInputs = Pick<
  PlanInputs,
  'msPerImage' | 'memoryMb' | 'imagesPerUnit' | 'messagesPerBatch' | 'fetchMs' | 'fetchesPerHost'
>;

/**
 * How long a worker function waits for originals while its CPU has nothing to do, for each image: for the first one of a batch, and for all
 * where they come more slowly than they are encoded. The images of a message are those of one client, whom one worker asks for a few at a time.
 */
export function calculateWaiting(inputs: WaitingInputs): Figure {
  const label = 'waiting for originals, an image';
  const { messagesPerBatch, imagesPerUnit, fetchMs, fetchesPerHost } = inputs;
  const images = messagesPerBatch * calculateUnitsPerMessage(imagesPerUnit).value * imagesPerUnit;
  const fetchSeconds = fetchMs / 1000;
  const cpuSeconds = (images * inputs.msPerImage) / 1000 / (inputs.memoryMb / LIMITS.mbPerVcpu);
  const moreSeconds = (images * fetchSeconds) / fetchesPerHost - cpuSeconds;
  if (moreSeconds <= 0)
    return figure(
      label,
      fetchSeconds / images,
      `${show(fetchSeconds)} s ÷ ${show(images)} images of a batch: the others come while the first is encoded`,
      's',
    );
  return figure(
    label,
    (fetchSeconds + moreSeconds) / images,
    `(${show(fetchSeconds)} s + ${show(images)} images × ${show(fetchSeconds)} s ÷ ${show(fetchesPerHost)} at a time − ${show(cpuSeconds)} s of CPU) ÷ ${show(images)} images`,
    's',
  );
}

/** How many originals a worker fetches at a time from one host. */
export function fetchesPerHost({ prewarmFetchesPerHost }: Pick<Config, 'prewarmFetchesPerHost'>): number {
  return prewarmFetchesPerHost ?? FETCHES_PER_HOST;
}
