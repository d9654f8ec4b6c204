import { Duration } from 'aws-cdk-lib';
import type { Distribution, Function as EdgeFunction } from 'aws-cdk-lib/aws-cloudfront';
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';

export const PERIOD = Duration.minutes(5);
/** Where CloudFront's metrics are, wherever the stack is. */
export const CDN_REGION = 'us-east-1';

/** A metric of CloudFront's, on this distribution. */
export function cdnMetric(distribution: Distribution, metricName: string, statistic: string): Metric {
  return cloudFrontMetric({ DistributionId: distribution.distributionId }, metricName, statistic);
}

/** The sum of a metric of CloudFront's, on this edge function. */
export function edgeMetric(edgeFunction: EdgeFunction, metricName: string): Metric {
  return cloudFrontMetric({ FunctionName: edgeFunction.functionName }, metricName, Stats.SUM);
}

function cloudFrontMetric(of: Record<string, string>, metricName: string, statistic: string): Metric {
  return new Metric({
    namespace: 'AWS/CloudFront',
    metricName,
    dimensionsMap: { ...of, Region: 'Global' },
    region: CDN_REGION,
    statistic,
    period: PERIOD,
    label: metricName,
  });
}

/** A metric of the function's URL. */
export function urlMetric(imageFunction: LambdaFunction, metricName: string, statistic = Stats.SUM): Metric {
  return imageFunction.metric(metricName, { statistic, period: PERIOD, label: metricName });
}

/** How many percent of the answers of the function's URL were 5xx; 0 while there are too few for that to say anything. */
export function urlFaultPercent(imageFunction: LambdaFunction, fewestRequests: number): MathExpression {
  return new MathExpression({
    expression: `IF(requests >= ${fewestRequests}, 100 * faults / requests, 0)`,
    usingMetrics: {
      requests: urlMetric(imageFunction, 'UrlRequestCount'),
      faults: urlMetric(imageFunction, 'Url5xxCount'),
    },
    period: PERIOD,
    label: '5xx of the function URL, %',
  });
}

/** A rate of CloudFront's in percent; 0 while there are too few requests for that to say anything. */
export function cdnPercent(distribution: Distribution, rate: string, fewestRequests: number): MathExpression {
  return new MathExpression({
    expression: `IF(requests >= ${fewestRequests}, rate, 0)`,
    usingMetrics: {
      requests: cdnMetric(distribution, 'Requests', Stats.SUM),
      rate: cdnMetric(distribution, rate, Stats.AVERAGE),
    },
    period: PERIOD,
    label: `${rate}, %`,
  });
}
