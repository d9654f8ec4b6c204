/** A wish of whoever started the command that it ends. */
export interface Interruption {
  /** Aborted once they want it to. */
  signal: AbortSignal;
  /** Leaves signals to Node again. */
  ignore(): void;
}

/** npm passes on the signal that a terminal has sent to all of its programs: we get each Ctrl-C twice, a few milliseconds apart. */
const ECHO_MS = 500;

/**
 * Takes the first SIGINT or SIGTERM as a wish to finish what is in hand, the second as an order to end at once.
 *
 * @param say - tells the user what is going on
 */
export function watchForInterruption(say: (text: string) => void): Interruption {
  const interruption = new AbortController();
  let firstMs: number | undefined;
  const onSignal = () => {
    const nowMs = performance.now();
    if (firstMs === undefined) {
      firstMs = nowMs;
      say('Stopping: what has begun is finished. Once more to end at once.');
      interruption.abort();
    } else if (nowMs - firstMs > ECHO_MS) {
      process.exit(1);
    }
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: interruption.signal,
    ignore() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
