// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

/** A member of a log line that CloudWatch makes a metric of. */
interface EmbeddedMetric {
  name: string;
  unit: 'Count' | 'Milliseconds';
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
    const directive = {
      ...{ Namespace: namespace, Dimensions: [[dimension]] },
      Metrics: seen.map(({ name, unit }) => ({ Name: name, Unit: unit })),
    };
    return { [dimension]: value, _aws: { Timestamp: Date.now(), CloudWatchMetrics: [directive] } };
  };
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

/** Returns the metric of prewarmed images: `images`, by their state, which are four. */
export function embedImageMetrics(namespace: string): EmbedMetrics {
  return createEmbedMetrics(namespace, 'imageState', [{ name: 'images', unit: 'Count' }]);
}
