import PQueue from 'p-queue';

/**
 * Calls `work` for each item with bounded concurrency. It reads the next item only when a place is free. After the first failure, or
 * once the signal aborts, it starts no more work. It resolves or rejects only when all work in flight has ended, which `p-map` does
 * not wait for.
 *
 * @throws the first error of `work`, or the error of the items
 */
export async function forEachConcurrently<T>(
  items: AsyncIterable<T>,
  concurrency: number,
  work: (item: T) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const queue = new PQueue({ concurrency });
  const errors: unknown[] = [];
  try {
    for await (const item of items) {
      if (signal?.aborted) break;
      queue.add(() => work(item)).catch((error: unknown) => errors.push(error));
      await queue.onSizeLessThan(1);
      if (errors.length > 0) break;
    }
  } finally {
    await queue.onIdle();
  }
  if (errors.length > 0) throw errors[0];
}

/**
 * Yields the result of `work` for each item, in the order of the items, while it works on the next ones.
 *
 * @param work - must not throw
 * @throws the error of the items
 */
export async function* mapInOrder<T, R>(
  items: AsyncIterable<T>,
  concurrency: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R, void> {
  const inFlight: Promise<R>[] = [];
  for await (const item of items) {
    inFlight.push(work(item));
    const [first] = inFlight;
    if (first && inFlight.length >= concurrency) {
      yield await first;
      inFlight.shift();
    }
  }
  for (const result of inFlight) yield await result;
}
