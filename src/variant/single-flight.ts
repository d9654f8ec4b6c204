/** Joins the work of this key if it is under way, else starts it. Whoever joins shares its result or its error. */
export type SingleFlight<T> = (key: string, work: () => Promise<T>) => Promise<T>;

/** Makes single flight: what many ask for at once is done once. */
export function createSingleFlight<T>(): SingleFlight<T> {
  const underWay = new Map<string, Promise<T>>();
  return (key, work) => {
    const flight = underWay.get(key) ?? work().finally(() => underWay.delete(key));
    underWay.set(key, flight);
    return flight;
  };
}
