/** Watches for the signals with which a user stops a command. */
export interface InterruptWatch {
  /** Aborted at the first SIGINT or SIGTERM. */
  signal: AbortSignal;
  /** Restores Node's own handling of the signals. */
  stop(): void;
}

/** npm forwards a signal that the terminal has already sent to all of its processes: each Ctrl-C arrives twice, a few ms apart. */
const DUPLICATE_MS = 500;

/**
 * Aborts its signal at the first SIGINT or SIGTERM, so that the command can finish the work in flight. A second one, later than
 * npm's duplicate of the first, exits with status 1.
 *
 * @param onMessage - called once, with a text for the user
 */
export function watchForInterrupt(onMessage: (text: string) => void): InterruptWatch {
  const interrupt = new AbortController();
  let firstMs: number | undefined;
  const onSignal = () => {
    const nowMs = performance.now();
    if (firstMs === undefined) {
      firstMs = nowMs;
      onMessage('Stopping: finishing the work in flight. Press Ctrl-C again to exit now.');
      interrupt.abort();
    } else if (nowMs - firstMs > DUPLICATE_MS) {
      process.exit(1);
    }
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: interrupt.signal,
    stop() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
