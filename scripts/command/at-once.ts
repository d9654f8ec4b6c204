import PQueue from 'p-queue';

/**
 * Does the work for each item, so many at once, and asks for the next one only when there is room for it. Once a work fails or
 * the signal aborts, no more are begun; it ends when those in hand have.
 *
 * @throws what the first work to fail threw, or the items
 */
export async function eachAtOnce<T>(
  items: AsyncIterable<T>,
  concurrency: number,
  work: (item: T) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const places = new PQueue({ concurrency: concurrency });
  const faults: unknown[] = [];
  try {
    for await (const item of items) {
      if (signal?.aborted) break;
      places.add(() => work(item)).catch((fault: unknown) => faults.push(fault));
      await places.onSizeLessThan(1);
      if (faults.length > 0) break;
    }
  } finally {
    await places.onIdle();
  }
  if (faults.length > 0) throw faults[0];
}

/**
 * Gives what becomes of each item, in their order, while the next ones are being worked on.
 *
 * @param work - never throws
 */
export async function* inOrder<T, R>(
  items: AsyncIterable<T>,
  concurrency: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void> {
  const begun: Promise<R>[] = [];
  for await (const item of items) {
    begun.push(work(item));
    const [first] = begun;
    if (first && begun.length >= concurrency) {
      yield await first;
      begun.shift();
    }
  }
  for (const one of begun) yield await one;
}
