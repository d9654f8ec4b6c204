import { Duration } from 'aws-cdk-lib';
import {
  AdjustmentType,
  ScalableTarget,
  ServiceNamespace,
  StepScalingAction,
} from 'aws-cdk-lib/aws-applicationautoscaling';
import {
  Alarm,
  ComparisonOperator,
  MathExpression,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { ApplicationScalingAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';

/** SQS reports its metrics once a minute. */
const PERIOD = Duration.minutes(1);
/** What waits for less is left to the worker function: a container takes a minute to start. */
const WAITED_SECONDS = 120;
/** For so long nothing must have waited before containers are stopped: each that stops gives work back. */
const IDLE_MINUTES = 10;
/** A container is started and has received messages in less: until then the age of the queue does not tell whether there are enough. */
const START_COOLDOWN = Duration.minutes(3);
/** By so many percent of the containers there are less, while nothing waits. */
const STOPPED_PERCENT = 25;

/**
 * Starts containers while messages wait, the more the longer they have waited, and stops a quarter of them each time that nothing has
 * waited for ten minutes, to none in the end. Returns the alarms that do so.
 */
export function scaleByQueue(
  scope: Construct,
  service: FargateService,
  { queue, maxTasks }: { queue: Queue; maxTasks: number },
): Alarm[] {
  const target = new ScalableTarget(scope, 'WorkersScaling', {
    serviceNamespace: ServiceNamespace.ECS,
    resourceId: `service/${service.cluster.clusterName}/${service.serviceName}`,
    scalableDimension: 'ecs:service:DesiredCount',
    minCapacity: 0,
    maxCapacity: maxTasks,
  });
  const seconds = waitingSeconds(queue);
  const share = (part: number) => Math.max(1, Math.ceil(maxTasks * part));
  const start = new StepScalingAction(scope, 'WorkersStart', {
    scalingTarget: target,
    adjustmentType: AdjustmentType.CHANGE_IN_CAPACITY,
    cooldown: START_COOLDOWN,
  });
  // Bounds are those above the alarm's threshold: from 2, 5 and 10 minutes on.
  start.addAdjustment({ adjustment: share(1 / 8), lowerBound: 0, upperBound: 180 });
  start.addAdjustment({ adjustment: share(1 / 4), lowerBound: 180, upperBound: 480 });
  start.addAdjustment({ adjustment: share(1 / 2), lowerBound: 480 });
  const waits = new Alarm(scope, 'WorkersStartAlarm', {
    alarmDescription:
      'Units have waited for two minutes: more containers are started, as many as fargateMaxTasks says at most. No reason to act: QueueAgeAlarm goes off if that does not help.',
    metric: seconds,
    threshold: WAITED_SECONDS,
    evaluationPeriods: 2,
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: TreatMissingData.NOT_BREACHING,
  });
  waits.addAlarmAction(new ApplicationScalingAction(start));

  const stop = new StepScalingAction(scope, 'WorkersStop', {
    scalingTarget: target,
    adjustmentType: AdjustmentType.PERCENT_CHANGE_IN_CAPACITY,
    minAdjustmentMagnitude: 1,
    cooldown: Duration.minutes(IDLE_MINUTES / 2),
  });
  stop.addAdjustment({ adjustment: -STOPPED_PERCENT, upperBound: 0 });
  const idle = new Alarm(scope, 'WorkersStopAlarm', {
    alarmDescription:
      'No unit has waited for ten minutes: a quarter of the containers is stopped, unless there are none. It is always in this state while nothing is prewarmed: no reason to act.',
    metric: seconds,
    threshold: 0,
    evaluationPeriods: IDLE_MINUTES,
    comparisonOperator: ComparisonOperator.LESS_THAN_OR_EQUAL_TO_THRESHOLD,
    // The metrics of a queue that nobody uses are missing.
    treatMissingData: TreatMissingData.BREACHING,
  });
  idle.addAlarmAction(new ApplicationScalingAction(stop));
  return [waits, idle];
}

/**
 * Returns how long the oldest message has been on the queue if some wait, else 0. The age alone would not do: it counts messages that are
 * worked on, too.
 */
function waitingSeconds(queue: Queue): MathExpression {
  const options = { statistic: Stats.MAXIMUM, period: PERIOD };
  return new MathExpression({
    expression: 'IF(waiting > 0, age, 0)',
    usingMetrics: {
      waiting: queue.metricApproximateNumberOfMessagesVisible(options),
      age: queue.metricApproximateAgeOfOldestMessage(options),
    },
    period: PERIOD,
    label: 'seconds that units have waited',
  });
}
