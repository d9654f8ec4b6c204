import type { Cdn, Invalidation, WaitProgress } from '../../src/cdn/cdn.ts';
import { CommandFailure, messageOf } from '../cli/command.ts';
import { printMessage } from '../cli/output.ts';
import { counted, printable } from '../cli/text.ts';

/** As long as a timer of Node can be. */
export const MAX_PATIENCE_SECONDS = 2_000_000;

const PROGRESS_EVERY_MS = 5000;
const OUTCOME = 'The store is purged, and the CDN has accepted these invalidations: it goes on without us.';

/**
 * Waits until the CDN has completed the invalidations, and prints every few seconds how far it is.
 *
 * @param patienceSeconds - gives up after this time without another completed invalidation
 * @param signal - ends the wait
 * @throws CommandFailure saying what is not complete, and what the CDN says of it
 */
export async function waitForCdn(
  cdn: Cdn,
  invalidations: readonly Invalidation[],
  patienceSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  if (invalidations.length === 0) return;
  const watch = watchProgress(invalidations.length, patienceSeconds);
  try {
    await cdn.wait(invalidations, {
      signal: AbortSignal.any([signal, watch.impatience]),
      onProgress: watch.onProgress,
    });
  } catch (error) {
    const why = watch.impatience.aborted
      ? `No further one for ${patienceSeconds} s: gave up waiting.`
      : signal.aborted
        ? 'Interrupted.'
        : printable(messageOf(error));
    throw new CommandFailure([printable(watch.describe()), why, OUTCOME].join('\n'));
  } finally {
    watch.stop();
  }
  printMessage('The CDN has completed the invalidations.');
}

/** Prints progress, and runs out of patience when there is none. */
function watchProgress(total: number, patienceSeconds: number) {
  const impatience = new AbortController();
  let timer: NodeJS.Timeout;
  let last: WaitProgress | undefined;
  let printedAtMs = Number.NEGATIVE_INFINITY;
  const restart = () => {
    clearTimeout(timer);
    timer = setTimeout(() => impatience.abort(), 1000 * patienceSeconds);
  };
  restart();

  function describe(): string {
    const done = `The CDN has completed ${last?.complete ?? 0} of ${counted(total, 'invalidation')}`;
    return last ? `${done}; ${last.id} is ${JSON.stringify(last.state)}` : done;
  }

  return {
    impatience: impatience.signal,
    describe,
    stop: () => clearTimeout(timer),
    onProgress(progress: WaitProgress): void {
      if (last && progress.complete > last.complete) restart();
      last = progress;
      if (performance.now() - printedAtMs < PROGRESS_EVERY_MS) return;
      printedAtMs = performance.now();
      printMessage(printable(describe()));
    },
  };
}
