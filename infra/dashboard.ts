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
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { MonitoredResources } from './alarms.ts';
import { cdnMetric, edgeMetric, PERIOD, searchLogMetrics, urlMetric } from './metrics.ts';
import type { Settings } from './settings.ts';

export interface DashboardResources extends MonitoredResources {
  readonly alarms: Alarm[];
  readonly edgeFunction: EdgeFunction;
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
  const { imageFunction, worker, queue, deadLetters, alarms } = resources;
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
    ...(settings.emfNamespace === undefined ? [] : [logRow(settings.emfNamespace)]),
    [outcomes(imageFunction, worker), bytes(imageFunction)],
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

function outcomes(...functions: LambdaFunction[]): LogQueryWidget {
  return logQuery('Outcomes by code', functions, [
    'filter ispresent(outcome)',
    'stats count() as requests, avg(totalMs) as meanMs, pct(totalMs, 99) as p99Ms by outcome, code',
    'sort requests desc',
  ]);
}

function bytes(fn: LambdaFunction): LogQueryWidget {
  return logQuery(
    'Bytes fetched and bytes sent',
    [fn],
    [
      'filter outcome = "miss" and bytesIn > 0',
      'stats sum(bytesIn) as fetched, sum(bytesOut) as answered, 100 * sum(bytesOut) / sum(bytesIn) as percent',
    ],
  );
}

function logQuery(title: string, functions: LambdaFunction[], queryLines: string[]): LogQueryWidget {
  const logGroupNames = functions.map((fn) => fn.logGroup.logGroupName);
  const view = LogQueryVisualizationType.TABLE;
  return new LogQueryWidget({ title, logGroupNames, queryLines, view, width: 1.5 * WIDTH, height: HEIGHT });
}

function graph(title: string, left: IMetric[], right: IMetric[] = []): GraphWidget {
  return new GraphWidget({ title, left, right, width: WIDTH, height: HEIGHT });
}

function metricOptions(statistic: string, label: string) {
  return { statistic, label, period: PERIOD };
}
