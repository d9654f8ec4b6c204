import { Alarm, ComparisonOperator, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';

/** An alarm, before it is created. */
export interface AlarmSpec {
  readonly id: string;
  /** The text of the notification: what has happened, and what to do about it. */
  readonly description: string;
  readonly metric: IMetric;
  /** The alarm goes off when the metric is at or above this in each of the last `periods` of five minutes. */
  readonly threshold: number;
  readonly periods: number;
  /** Then the alarm keeps its state while there are few samples: a percentile of a few requests is just the slowest one. */
  readonly isPercentile?: boolean;
}

/** With fewer requests in five minutes a percentage means nothing. */
export const MIN_REQUESTS = 100;

/** Creates alarms. Without a topic they notify nobody, and only show in the console and on the dashboard. */
export function createAlarmsOf(
  scope: Construct,
  specs: readonly AlarmSpec[],
  topicArn: string | undefined,
): Alarm[] {
  const topic = topicArn === undefined ? undefined : Topic.fromTopicArn(scope, 'AlarmTopic', topicArn);
  return specs.map(({ id, description, metric, threshold, periods, isPercentile }) => {
    const alarm = new Alarm(scope, id, {
      alarmDescription: description,
      metric,
      threshold,
      evaluationPeriods: periods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      // While nothing happens, all of these metrics are missing.
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...(isPercentile && { evaluateLowSampleCountPercentile: 'ignore' }),
    });
    if (topic) {
      alarm.addAlarmAction(new SnsAction(topic));
      alarm.addOkAction(new SnsAction(topic));
    }
    return alarm;
  });
}
