/** Does the work for every item, in their order, so many at once. Begins nothing more once one has failed, and throws that. */
export async function forEachAtOnce<T>(
  items: Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  let failed = false;
  const workThrough = async () => {
    try {
      while (!failed) {
        const { done, value } = left.next();
        if (done) return;
        await work(value);
      }
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, workThrough));
}
