import { Stack } from 'aws-cdk-lib';
import type { Distribution } from 'aws-cdk-lib/aws-cloudfront';
import { type Alarm, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { type AlarmSpec, createAlarmsOf, MIN_REQUESTS } from './create-alarms.ts';
import { logMetric, PERIOD, urlFaultPercent } from './metrics.ts';
import { CDN_REGION } from './regions.ts';
import type { Settings } from './settings.ts';
import { cdnAlarms } from './viewer-alarms.ts';
import type { Queues } from './worker.ts';

/** What the alarms and the dashboard have metrics of. */
export interface MonitoredResources extends Queues {
  readonly imageFunction: LambdaFunction;
  readonly worker: LambdaFunction;
  readonly distribution: Distribution;
}

/** Creates the alarms of the stack. */
export function createAlarms(scope: Construct, resources: MonitoredResources, settings: Settings): Alarm[] {
  const specs = [
    ...functionAlarms(resources),
    ...answerAlarms(resources, settings),
    ...queueAlarms(resources, settings),
    ...(settings.emfNamespace === undefined ? [] : logAlarms(settings.emfNamespace)),
    // An alarm can only use metrics of its own region: viewer-alarms.ts has these for other regions.
    ...(Stack.of(scope).region === CDN_REGION
      ? cdnAlarms(resources.distribution.distributionId, settings)
      : []),
  ];
  return createAlarmsOf(scope, specs, settings.alarmTopicArn);
}

function functionAlarms({ imageFunction, worker }: MonitoredResources): AlarmSpec[] {
  const sum = { statistic: Stats.SUM, period: PERIOD };
  return [
    {
      id: 'ImageErrorsAlarm',
      description:
        'The image function crashes, times out or runs out of memory. Look in its log for the last line before "Task timed out" or "Runtime exited"; raise imageMemoryMb if Max Memory Used is all of it. If this started with a deployment, roll back to the previous version.',
      metric: imageFunction.metricErrors(sum),
      threshold: 5,
      periods: 2,
    },
    {
      id: 'WorkerErrorsAlarm',
      description:
        'The worker crashes, times out or runs out of memory. Nothing is lost: a message is received up to five times, and then moves to the dead-letter queue. Look in the log; lower workerBatchSize if it times out, raise workerMemoryMb if Max Memory Used is all of it.',
      metric: worker.metricErrors(sum),
      threshold: 3,
      periods: 2,
    },
    {
      id: 'ImageThrottlesAlarm',
      description:
        'Viewers get errors, because Lambda throttles the image function: no concurrency is left for it. If prewarm is running, lower workerMaxConcurrency; otherwise raise imageReservedConcurrency, or ask AWS for a higher quota of concurrent executions.',
      metric: imageFunction.metricThrottles(sum),
      threshold: 1,
      periods: 1,
    },
    {
      id: 'WorkerThrottlesAlarm',
      description:
        'Prewarm is slower than configured, because Lambda throttles the worker; nothing is lost. Keep workerMaxConcurrency below the concurrency that the account has left, and below workerReservedConcurrency if that is set.',
      metric: worker.metricThrottles(sum),
      threshold: 1,
      periods: 3,
    },
  ];
}

function answerAlarms({ imageFunction }: MonitoredResources, settings: Settings): AlarmSpec[] {
  return [
    {
      id: 'FunctionUrl5xxAlarm',
      description:
        "Many first requests fail: variants that are not in the store cannot be made. The dashboard shows the outcomes by code: source_unavailable and source_timeout come from the clients' servers (tell the client; sourceHost in the log names the server); overloaded needs more memory or concurrency; internal is a bug.",
      metric: urlFaultPercent(imageFunction, MIN_REQUESTS),
      threshold: settings.alarmFunctionUrl5xxPercent,
      periods: 3,
    },
    {
      id: 'LatencyAlarm',
      description:
        "One first request in a hundred takes longer than a slow source explains. Compare fetchMs, encodeMs, storeMs and putMs in the image function's log: slow encodes need more imageMemoryMb, a slow store is a problem of S3. Prewarmed variants are not affected.",
      metric: imageFunction.metricDuration({ statistic: 'p99', period: PERIOD }),
      threshold: settings.alarmLatencySeconds * 1000,
      periods: 3,
      isPercentile: true,
    },
  ];
}

function queueAlarms({ queue, deadLetters }: MonitoredResources, settings: Settings): AlarmSpec[] {
  return [
    {
      id: 'DeadLettersAlarm',
      description:
        "Units failed five times and are no longer retried. The worker's log says why. When the cause is fixed, start a redrive of the dead-letter queue; `npm run status` shows what a unit lacks. Messages are deleted 14 days after they were sent.",
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
        "Units wait long for the worker. If it runs at workerMaxConcurrency, there is simply much to prewarm: raise it, or wait. If it is idle, look for errors and throttles, and check that the queue's event source mapping is enabled.",
      metric: queue.metricApproximateAgeOfOldestMessage({ statistic: Stats.MAXIMUM, period: PERIOD }),
      threshold: settings.alarmQueueAgeMinutes * 60,
      periods: 3,
    },
  ];
}

/** What only the log lines tell, as metrics. */
function logAlarms(namespace: string): AlarmSpec[] {
  const result = (value: string) =>
    logMetric({ namespace, name: 'totalMs', dimension: 'result', value, statistic: Stats.SAMPLE_COUNT });
  return [
    {
      id: 'OverloadedAlarm',
      description:
        'First requests are refused as overloaded: an instance of the image function has no memory or time for them. Look in its log for code "overloaded" and the reason beside it; raise imageMemoryMb, and prewarm units before they are asked for.',
      metric: result('overloaded'),
      threshold: 10,
      periods: 2,
    },
    {
      id: 'InternalAlarm',
      description:
        'Requests fail with code "internal": a bug, or a permission that is missing. The log of the image function has the error, with the request id of the answer. If this started with a deployment, roll back to the previous version.',
      metric: result('internal'),
      threshold: 1,
      periods: 1,
    },
    {
      id: 'NotStoredAlarm',
      description:
        'Variants are made and sent, but not stored: the next view of each has to make it again. The log says why ("the store failed", operation "put"): S3 throttles or is down, or the permissions of the bucket were changed.',
      metric: logMetric({
        ...{ namespace, name: 'storeFaults', dimension: 'operation', value: 'put' },
        statistic: Stats.SUM,
      }),
      threshold: 5,
      periods: 2,
    },
    {
      id: 'StoreCircuitAlarm',
      description:
        'The circuit breaker of the store is open: S3 does not answer in time, and variants are made for each view without being stored. See the AWS Health Dashboard for S3 in this region. It closes by itself when S3 answers again.',
      metric: logMetric({
        ...{ namespace, name: 'circuitsOpen', dimension: 'circuit', value: 'store' },
        statistic: Stats.MAXIMUM,
      }),
      threshold: 1,
      periods: 2,
    },
  ];
}
