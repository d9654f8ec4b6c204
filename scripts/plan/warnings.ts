import { formatDuration } from '../command/amounts.ts';
import { showNumber } from './figure.ts';
import { LIMITS } from './limits.ts';
import type { Workers } from './load.ts';
import type { Plan } from './plan.ts';

/** What will not work as it was asked for, or is easily taken for more than it is; a sentence or two each. */
export function warningsOf(
  { workers, load, queue, beyondOneStack }: Plan,
  isMeasuredSmall: boolean,
): string[] {
  const warnings: string[] = [];
  if (isMeasuredSmall)
    warnings.push(
      'The photographs that come with the packages are small: originals of phones take longer. ' +
        'Measure your own with --photos FOLDER, or say with --ms what the function takes.',
    );
  const needed = load.imagesPerSecond.value;
  const capacity = workers.capacityPerSecond.value;
  if (capacity <= needed)
    warnings.push(
      `${showNumber(workers.maxConcurrency.value)} workers make ${showNumber(capacity)} images a second, and ` +
        `${showNumber(needed)} come: the queue only grows. ${wayOut(workers, beyondOneStack)}.`,
    );
  const { value: batchSeconds } = queue.batchSeconds;
  if (batchSeconds > LIMITS.functionSeconds)
    warnings.push(
      `A batch takes ${formatDuration(batchSeconds)}, and Lambda stops a function after ` +
        `${formatDuration(LIMITS.functionSeconds)}: give it fewer messages (--batch), or more memory (--memory).`,
    );
  return warnings;
}

function wayOut({ busyVcpus, vcpus }: Workers, beyondOneStack: string | undefined): string {
  const fewest = Math.floor(busyVcpus.value / vcpus.value) + 1;
  return beyondOneStack === undefined
    ? `It takes a --concurrency of ${showNumber(fewest)} or more`
    : `It is ${beyondOneStack}`;
}
