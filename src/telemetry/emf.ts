// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

/** A member of a log line that CloudWatch makes a metric of. */
interface EmbeddedMetric {
  name: string;
  unit: 'Count' | 'Milliseconds';
}

/** What CloudWatch reads of a log line: the metrics among its fields, and the field that is their dimension. */
interface Directive {
  Namespace: string;
  Dimensions: [[string]];
  Metrics: { Name: string; Unit: EmbeddedMetric['unit'] }[];
}

/** Fields of a log line. */
type LogFields = Readonly<Record<string, unknown>>;

/**
 * Returns the fields that make metrics of a log line.
 *
 * @param value - the value of the dimension; without one there are no metrics
 */
export type EmbedMetrics = (line: LogFields, value: string | undefined) => LogFields;

/**
 * Returns what makes metrics of log lines, in CloudWatch's embedded metric format. Each pair of a metric and a value of the dimension that is seen
 * in a month is one custom metric, which AWS bills.
 *
 * @param dimension - the name of a field that the lines get, of few different values
 */
function createEmbedMetrics(
  namespace: string,
  dimension: string,
  metrics: readonly EmbeddedMetric[],
): EmbedMetrics {
  return (line, value) => {
    // A metric that is named and has no value in the line is an error.
    const seen = metrics.filter(({ name }) => typeof line[name] === 'number');
    if (seen.length === 0 || value === undefined) return {};
    return { [dimension]: value, ...embed([directiveOf(namespace, dimension, seen)]) };
  };
}

function directiveOf(namespace: string, dimension: string, metrics: readonly EmbeddedMetric[]): Directive {
  return {
    Namespace: namespace,
    Dimensions: [[dimension]],
    Metrics: metrics.map(({ name, unit }) => ({ Name: name, Unit: unit })),
  };
}

function embed(directives: readonly Directive[]): LogFields {
  return { _aws: { Timestamp: Date.now(), CloudWatchMetrics: directives } };
}

const STEPS = ['totalMs', 'storeMs', 'fetchMs', 'encodeMs', 'putMs'];

/**
 * Returns the metrics of requests. The dimension is their result: `hit`, `miss`, or the code of the error. There are at most five for each:
 * ten in a quiet month, some thirty in one of incidents.
 */
export function embedRequestMetrics(namespace: string): EmbedMetrics {
  return createEmbedMetrics(
    namespace,
    'result',
    STEPS.map((name) => ({ name, unit: 'Milliseconds' })),
  );
}

/**
 * Returns the metrics of prewarmed images: `images`, by their state, which are four; and `brokenImages`, by the `code` of the line, as the
 * results of requests are.
 */
export function embedImageMetrics(namespace: string): EmbedMetrics {
  const byState = directiveOf(namespace, 'imageState', [{ name: 'images', unit: 'Count' }]);
  const byCode = directiveOf(namespace, 'result', [{ name: 'brokenImages', unit: 'Count' }]);
  return ({ code }, state) =>
    code === undefined
      ? { imageState: state, ...embed([byState]) }
      : { imageState: state, result: code, brokenImages: 1, ...embed([byState, byCode]) };
}

/** Numbers by the value of a dimension. */
export interface EmbeddedCounts {
  /** The name of the metric. */
  name: string;
  dimension: string;
  /** `total`: they only grow, and the metric is by how much. `state`: the metric is their value. */
  kind: 'total' | 'state';
  read(): Readonly<Partial<Record<string, number>>>;
}

/** Returns a function that returns the fields of a log line for each number that has grown since the last call, or is not zero. */
export function embedCounts(namespace: string, all: readonly EmbeddedCounts[]): () => LogFields[] {
  const last = new Map<string, number>();

  function linesOf({ name, dimension, kind, read }: EmbeddedCounts): LogFields[] {
    const directive = directiveOf(namespace, dimension, [{ name, unit: 'Count' }]);
    return Object.entries(read()).flatMap(([value, number = 0]) => {
      const key = `${name} ${value}`;
      const count = kind === 'total' ? number - (last.get(key) ?? 0) : number;
      last.set(key, number);
      return count === 0 ? [] : [{ [dimension]: value, [name]: count, ...embed([directive]) }];
    });
  }

  return () => all.flatMap(linesOf);
}
