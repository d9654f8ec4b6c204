import { Stack } from 'aws-cdk-lib';
import type { Distribution } from 'aws-cdk-lib/aws-cloudfront';
import { Alarm, ComparisonOperator, type IMetric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { CDN_REGION, cdnPercent, PERIOD, urlFaultPercent } from './alarm-metrics.ts';
import type { Queues } from './queues.ts';
import type { Settings } from './settings.ts';

/** What is watched. */
export interface Watched extends Queues {
  readonly imageFunction: LambdaFunction;
  readonly worker: LambdaFunction;
  readonly distribution: Distribution;
}

interface Watch {
  readonly id: string;
  /** What it means, and what to do: it is the text of the message that wakes somebody. */
  readonly description: string;
  readonly metric: IMetric;
  /** The alarm begins when the metric is this or more, in all of the last `periods` of five minutes. */
  readonly threshold: number;
  readonly periods: number;
  /** A percentile of a few requests is the worst of them: then the alarm stays as it is. */
  readonly isPercentile?: boolean;
}

/** Fewer requests in five minutes say nothing in percent. */
const FEWEST_REQUESTS = 100;

/** What somebody has to look at. Without a topic the alarms only show, in the console and on the dashboard. */
export function createAlarms(scope: Construct, watched: Watched, settings: Settings): Alarm[] {
  const { alarmTopicArn } = settings;
  const topic =
    alarmTopicArn === undefined ? undefined : Topic.fromTopicArn(scope, 'AlarmTopic', alarmTopicArn);
  const watches = [
    ...functionWatches(watched),
    ...answerWatches(watched, settings),
    ...queueWatches(watched, settings),
    // An alarm sees the metrics of its own region only.
    ...(Stack.of(scope).region === CDN_REGION ? cdnWatches(watched, settings) : []),
  ];
  return watches.map(({ id, description, metric, threshold, periods, isPercentile }) => {
    const alarm = new Alarm(scope, id, {
      alarmDescription: description,
      metric,
      threshold,
      evaluationPeriods: periods,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      // All of them say nothing when nothing happens.
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

function functionWatches({ imageFunction, worker }: Watched): Watch[] {
  const sum = { statistic: Stats.SUM, period: PERIOD };
  return [
    {
      id: 'ImageErrorsAlarm',
      description:
        'The image function crashes, runs out of time or of memory. Look into its log for what came last before "Task timed out" or "Runtime exited"; raise imageMemoryMb if Max Memory Used is all of it. If it began with a deployment, deploy the last version again.',
      metric: imageFunction.metricErrors(sum),
      threshold: 5,
      periods: 2,
    },
    {
      id: 'WorkerErrorsAlarm',
      description:
        'The worker crashes, runs out of time or of memory. Nothing is lost: its messages come again, five times, and then wait in the dead-letter queue. Look into its log; lower workerBatchSize if it runs out of time, raise workerMemoryMb if Max Memory Used is all of it.',
      metric: worker.metricErrors(sum),
      threshold: 3,
      periods: 2,
    },
    {
      id: 'ImageThrottlesAlarm',
      description:
        'Viewers get errors, since Lambda has no instance left for the image function. Lower workerMaxConcurrency if prewarm is under way; else raise imageReservedConcurrency, or ask AWS for a higher quota of concurrent executions.',
      metric: imageFunction.metricThrottles(sum),
      threshold: 1,
      periods: 1,
    },
    {
      id: 'WorkerThrottlesAlarm',
      description:
        'Prewarm goes slower than it may, since Lambda has no instance left for the worker; nothing is lost. Keep workerMaxConcurrency below what the account has left, and below workerReservedConcurrency if that is set.',
      metric: worker.metricThrottles(sum),
      threshold: 1,
      periods: 3,
    },
  ];
}

function answerWatches({ imageFunction }: Watched, settings: Settings): Watch[] {
  return [
    {
      id: 'FunctionUrl5xxAlarm',
      description:
        "Much of what viewers ask for and is not in the store cannot be made. The dashboard has the outcomes by code: source_unavailable and source_timeout are the clients' servers' (tell them, by sourceHost in the log); overloaded wants more memory or concurrency; internal is a bug.",
      metric: urlFaultPercent(imageFunction, FEWEST_REQUESTS),
      threshold: settings.alarmFunctionUrl5xxPercent,
      periods: 3,
    },
    {
      id: 'LatencyAlarm',
      description:
        'One first request in a hundred takes longer than a slow source explains. See fetchMs, encodeMs, storeMs and putMs in the log of the image function: encodes want imageMemoryMb, the store is S3 having a bad time. What is prewarmed is not concerned.',
      metric: imageFunction.metricDuration({ statistic: 'p99', period: PERIOD }),
      threshold: settings.alarmLatencySeconds * 1000,
      periods: 3,
      isPercentile: true,
    },
  ];
}

function queueWatches({ queue, deadLetters }: Watched, settings: Settings): Watch[] {
  return [
    {
      id: 'DeadLettersAlarm',
      description:
        'Units failed five times and are no longer tried. The log of the worker says why. When that is mended, start a redrive of the dead-letter queue; `npm run status` says what a unit lacks. Messages are gone 14 days after they were sent.',
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({
        statistic: Stats.MAXIMUM,
        period: PERIOD,
      }),
      threshold: 1,
      periods: 1,
    },
    {
      id: 'QueueAgeAlarm',
      description:
        'Units wait long for the worker. If it is at workerMaxConcurrency, prewarm is just much: raise that, or let it be. If it is idle, look for errors and throttles, and whether the event source of the queue is enabled.',
      metric: queue.metricApproximateAgeOfOldestMessage({ statistic: Stats.MAXIMUM, period: PERIOD }),
      threshold: settings.alarmQueueAgeMinutes * 60,
      periods: 3,
    },
  ];
}

function cdnWatches({ distribution }: Watched, settings: Settings): Watch[] {
  return [
    {
      id: 'Cdn5xxAlarm',
      description:
        'Viewers get errors from CloudFront. If the alarms of the image function are quiet, it is the edge function (FunctionExecutionErrors on the dashboard), S3, or CloudFront itself: see the AWS Health Dashboard.',
      metric: cdnPercent(distribution, '5xxErrorRate', FEWEST_REQUESTS),
      threshold: settings.alarmCdn5xxPercent,
      periods: 3,
    },
    {
      id: 'Cdn4xxAlarm',
      description:
        'Most of what viewers ask for is refused. If it is 403: whoever signs uses a key that the edge does not have, or the edge has none (`npm run keys`); or somebody probes. If it is 404: a client took many originals away.',
      metric: cdnPercent(distribution, '4xxErrorRate', FEWEST_REQUESTS),
      threshold: settings.alarmCdn4xxPercent,
      periods: 3,
    },
  ];
}
