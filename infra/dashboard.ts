import { Duration } from 'aws-cdk-lib';
import type { Function as EdgeFunction } from 'aws-cdk-lib/aws-cloudfront';
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  LogQueryVisualizationType,
  LogQueryWidget,
  MathExpression,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { MonitoredResources } from './alarms.ts';
import type { FargateWorkers } from './fargate-workers.ts';
import { cdnMetric, edgeMetric, PERIOD, searchLogMetrics, urlMetric } from './metrics.ts';
import type { Settings } from './settings.ts';

export interface DashboardResources extends MonitoredResources {
  readonly alarms: Alarm[];
  readonly edgeFunction: EdgeFunction;
  readonly containers: FargateWorkers | undefined;
}

/** Of a widget; a row is 24 wide. */
const WIDTH = 8;
const HEIGHT = 6;

/** Creates the dashboard: alarms, traffic, both functions, the queue, costs, and outcomes out of the logs. */
export function createDashboard(
  scope: Construct,
  resources: DashboardResources,
  settings: Settings,
): Dashboard {
  const { imageFunction, worker, queue, deadLetters, alarms, containers } = resources;
  const rows = [
    [new AlarmStatusWidget({ title: 'Alarms', alarms, width: 3 * WIDTH, height: 3 })],
    cdnRow(resources, settings),
    [
      graph('Image function: first requests', [
        urlMetric(imageFunction, 'UrlRequestCount'),
        urlMetric(imageFunction, 'Url4xxCount'),
        urlMetric(imageFunction, 'Url5xxCount'),
      ]),
      functionErrors('Image function: errors', imageFunction),
      durations('Image function: duration', imageFunction),
    ],
    [
      graph('Queue: messages', [
        queue.metricApproximateNumberOfMessagesVisible(metricOptions(Stats.MAXIMUM, 'waiting')),
        queue.metricApproximateNumberOfMessagesNotVisible(metricOptions(Stats.MAXIMUM, 'in flight')),
        deadLetters.metricApproximateNumberOfMessagesVisible(metricOptions(Stats.MAXIMUM, 'dead')),
      ]),
      graph('Queue: age of the oldest message, seconds', [
        queue.metricApproximateAgeOfOldestMessage(metricOptions(Stats.MAXIMUM, 'age')),
      ]),
      functionErrors('Worker: errors', worker),
    ],
    [
      graph('Concurrency', [concurrency(imageFunction, 'image function'), concurrency(worker, 'worker')]),
      durations('Worker: duration', worker),
      costs(imageFunction, worker, queue),
    ],
    ...(containers === undefined ? [] : [containerRow(containers)]),
    ...(settings.emfNamespace === undefined ? [] : [logRow(settings.emfNamespace)]),
    [outcomes([imageFunction.logGroup, worker.logGroup]), bytes(imageFunction.logGroup)],
  ];
  const dashboard = new Dashboard(scope, 'Dashboard', { defaultInterval: Duration.days(1) });
  for (const row of rows) dashboard.addWidgets(...row);
  return dashboard;
}

function cdnRow(
  { distribution, edgeFunction, imageFunction }: DashboardResources,
  { additionalMetrics }: Settings,
) {
  const requests = cdnMetric(distribution.distributionId, 'Requests', Stats.SUM);
  return [
    graph(
      'Viewers: requests, and bytes sent',
      [requests],
      [cdnMetric(distribution.distributionId, 'BytesDownloaded', Stats.SUM)],
    ),
    graph(
      'Viewers: 4xx and 5xx in percent, and the edge function',
      [
        cdnMetric(distribution.distributionId, '4xxErrorRate', Stats.AVERAGE),
        cdnMetric(distribution.distributionId, '5xxErrorRate', Stats.AVERAGE),
      ],
      [edgeMetric(edgeFunction, 'FunctionExecutionErrors'), edgeMetric(edgeFunction, 'FunctionThrottles')],
    ),
    additionalMetrics
      ? graph('Cache: hits in percent, and latency of the origins in ms', [
          cdnMetric(distribution.distributionId, 'CacheHitRate', Stats.AVERAGE),
          cdnMetric(distribution.distributionId, 'OriginLatency', 'p90'),
        ])
      : graph('Cache: requests, and those that neither CloudFront nor S3 could answer', [
          requests,
          urlMetric(imageFunction, 'UrlRequestCount'),
        ]),
  ];
}

/** Workers in containers: how many there are, what starts and stops them, and how busy they are. */
function containerRow({ service, scalingAlarms, logGroup }: FargateWorkers) {
  const perMinute = { statistic: Stats.SAMPLE_COUNT, period: Duration.minutes(1) };
  const running = new MathExpression({
    // Each container reports once a minute, and nothing else tells their number without Container Insights.
    expression: 'samples / (PERIOD(samples) / 60)',
    usingMetrics: { samples: service.metricCpuUtilization(perMinute) },
    period: Duration.minutes(1),
    label: 'containers',
  });
  return [
    graph('Containers: number', [running]),
    graph('Containers: CPU and memory in use, percent', [
      service.metricCpuUtilization(metricOptions(Stats.AVERAGE, 'CPU')),
      service.metricMemoryUtilization(metricOptions(Stats.MAXIMUM, 'memory')),
    ]),
    new AlarmStatusWidget({
      title: 'Containers are started (while units wait) or stopped',
      alarms: scalingAlarms,
      width: WIDTH,
      height: HEIGHT,
    }),
    logQuery(
      'Containers: images by state and code',
      [logGroup],
      ['filter msg = "prewarm"', 'stats count() as images by state, code', 'sort images desc'],
      3 * WIDTH,
    ),
  ];
}

/** What the log lines say, as metrics. */
function logRow(namespace: string): GraphWidget[] {
  const search = (name: string, dimension: string, statistic: string) =>
    searchLogMetrics({ namespace, name, dimension, statistic });
  return [
    graph(
      'First requests by result; broken images of prewarm by code (right)',
      [search('totalMs', 'result', Stats.SAMPLE_COUNT)],
      [search('brokenImages', 'result', Stats.SUM)],
    ),
    graph(
      'Prewarmed images by state; variants asked for that prewarm does not make, by reason (right)',
      [search('images', 'imageState', Stats.SUM)],
      [search('notPrewarmed', 'reason', Stats.SUM)],
    ),
    graph(
      'Failures of the store by operation; circuit breakers that are open (right)',
      [search('storeFaults', 'operation', Stats.SUM)],
      [search('circuitsOpen', 'circuit', Stats.MAXIMUM)],
    ),
  ];
}

function functionErrors(title: string, fn: LambdaFunction): GraphWidget {
  return graph(title, [
    fn.metricErrors(metricOptions(Stats.SUM, 'errors')),
    fn.metricThrottles(metricOptions(Stats.SUM, 'throttles')),
  ]);
}

function durations(title: string, fn: LambdaFunction): GraphWidget {
  return graph(
    `${title}, ms`,
    ['p50', 'p90', 'p99'].map((statistic) => fn.metricDuration(metricOptions(statistic, statistic))),
  );
}

function concurrency(fn: LambdaFunction, label: string): IMetric {
  return fn.metric('ConcurrentExecutions', metricOptions(Stats.MAXIMUM, label));
}

/** What AWS bills: calls, and the milliseconds of each function (times its memory). */
function costs(imageFunction: LambdaFunction, worker: LambdaFunction, queue: Queue): GraphWidget {
  return graph(
    'Costs: calls, and milliseconds of the functions',
    [
      imageFunction.metricInvocations(metricOptions(Stats.SUM, 'image function calls')),
      worker.metricInvocations(metricOptions(Stats.SUM, 'worker calls')),
      queue.metricNumberOfMessagesSent(metricOptions(Stats.SUM, 'messages sent')),
      queue.metricNumberOfEmptyReceives(metricOptions(Stats.SUM, 'empty receives')),
    ],
    [
      imageFunction.metricDuration(metricOptions(Stats.SUM, 'image function ms')),
      worker.metricDuration(metricOptions(Stats.SUM, 'worker ms')),
    ],
  );
}

function outcomes(logGroups: readonly ILogGroup[]): LogQueryWidget {
  return logQuery('Outcomes by code', logGroups, [
    'filter ispresent(outcome)',
    'stats count() as requests, avg(totalMs) as meanMs, pct(totalMs, 99) as p99Ms by outcome, code',
    'sort requests desc',
  ]);
}

function bytes(logGroup: ILogGroup): LogQueryWidget {
  return logQuery(
    'Bytes fetched and bytes sent',
    [logGroup],
    [
      'filter outcome = "miss" and bytesIn > 0',
      'stats sum(bytesIn) as fetched, sum(bytesOut) as answered, 100 * sum(bytesOut) / sum(bytesIn) as percent',
    ],
  );
}

function logQuery(
  title: string,
  logGroups: readonly ILogGroup[],
  queryLines: string[],
  width = 1.5 * WIDTH,
): LogQueryWidget {
  const logGroupNames = logGroups.map(({ logGroupName }) => logGroupName);
  const view = LogQueryVisualizationType.TABLE;
  return new LogQueryWidget({ title, logGroupNames, queryLines, view, width, height: HEIGHT });
}

function graph(title: string, left: IMetric[], right: IMetric[] = []): GraphWidget {
  return new GraphWidget({ title, left, right, width: WIDTH, height: HEIGHT });
}

function metricOptions(statistic: string, label: string) {
  return { statistic, label, period: PERIOD };
}
