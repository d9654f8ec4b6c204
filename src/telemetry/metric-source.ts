/** A sample of a metric: its value for one set of labels. */
export interface Sample {
  /** Values from a small fixed set: never a unit, a URL or free text. A host only as `createTopHosts` returns it. */
  labels?: Readonly<Record<string, string>>;
  value: number;
}

/**
 * A metric whose owner counts in plain numbers, which are read when metrics are scraped. So counting costs an addition, and its owner needs
 * no metrics library.
 */
export interface MetricSource {
  /** Without `edgepress_`; that of a counter ends in `_total`. */
  name: string;
  /** A counter only ever grows. */
  type: 'counter' | 'gauge';
  help: string;
  labelNames?: readonly string[];
  /** How the values of several workers are combined. Default `sum`; `max` for what all of them share, such as the size of the store. */
  aggregator?: 'sum' | 'max';
  /** Returns the value, or one for each set of labels. If it throws, the metric is left out of this scrape. */
  read(): number | Iterable<Sample> | Promise<number | Iterable<Sample>>;
}
