import { Duration } from 'aws-cdk-lib';
import type { Function as EdgeFunction } from 'aws-cdk-lib/aws-cloudfront';
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { CDN_REGION } from './regions.ts';

/** The period of every metric of the alarms and the dashboard. */
export const PERIOD = Duration.minutes(5);

/** Returns a CloudFront metric of the distribution. */
export function cdnMetric(distributionId: string, metricName: string, statistic: string): Metric {
  return cloudFrontMetric({ DistributionId: distributionId }, metricName, statistic);
}

/** Returns the sum of a CloudFront metric of the edge function. */
export function edgeMetric(edgeFunction: EdgeFunction, metricName: string): Metric {
  return cloudFrontMetric({ FunctionName: edgeFunction.functionName }, metricName, Stats.SUM);
}

function cloudFrontMetric(dimensions: Record<string, string>, metricName: string, statistic: string): Metric {
  return new Metric({
    namespace: 'AWS/CloudFront',
    metricName,
    dimensionsMap: { ...dimensions, Region: 'Global' },
    region: CDN_REGION,
    statistic,
    period: PERIOD,
    label: metricName,
  });
}

/** Returns a metric of the function URL. */
export function urlMetric(imageFunction: LambdaFunction, metricName: string, statistic = Stats.SUM): Metric {
  return imageFunction.metric(metricName, { statistic, period: PERIOD, label: metricName });
}

/** A metric that CloudWatch makes of log lines (`src/telemetry/emf.ts`), for one value of its dimension. */
export interface LogMetric {
  readonly namespace: string;
  readonly name: string;
  readonly dimension: string;
  readonly value: string;
  readonly statistic: string;
}

/** Returns a metric of the log lines of the functions. */
export function logMetric({ namespace, name, dimension, value, statistic }: LogMetric): Metric {
  return new Metric({
    namespace,
    metricName: name,
    dimensionsMap: { [dimension]: value },
    statistic,
    period: PERIOD,
    label: value,
  });
}

/** Returns all metrics of log lines with this name, one for each value of the dimension that was seen. For graphs only: alarms cannot search. */
export function searchLogMetrics({
  namespace,
  name,
  dimension,
  statistic,
}: Omit<LogMetric, 'value'>): MathExpression {
  const search = `{"${namespace}","${dimension}"} MetricName="${name}"`;
  return new MathExpression({
    expression: `SEARCH('${search}', '${statistic}', ${PERIOD.toSeconds()})`,
    usingMetrics: {},
    period: PERIOD,
    label: '',
  });
}

/**
 * Returns the share of 5xx answers of the function URL, in percent.
 *
 * @param minRequests - with fewer requests in a period the value is 0, since a percentage of so few means nothing
 */
export function urlFaultPercent(imageFunction: LambdaFunction, minRequests: number): MathExpression {
  return new MathExpression({
    expression: `IF(requests >= ${minRequests}, 100 * faults / requests, 0)`,
    usingMetrics: {
      requests: urlMetric(imageFunction, 'UrlRequestCount'),
      faults: urlMetric(imageFunction, 'Url5xxCount'),
    },
    period: PERIOD,
    label: '5xx of the function URL, %',
  });
}

/**
 * Returns one of CloudFront's rates in percent, such as `5xxErrorRate`.
 *
 * @param minRequests - with fewer requests in a period the value is 0, since a percentage of so few means nothing
 */
export function cdnPercent(distributionId: string, rate: string, minRequests: number): MathExpression {
  return new MathExpression({
    expression: `IF(requests >= ${minRequests}, rate, 0)`,
    usingMetrics: {
      requests: cdnMetric(distributionId, 'Requests', Stats.SUM),
      rate: cdnMetric(distributionId, rate, Stats.AVERAGE),
    },
    period: PERIOD,
    label: `${rate}, %`,
  });
}
