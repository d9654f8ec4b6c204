import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import type { EdgepressOptions } from '../../infra/options.ts';
import { ALL_OPTIONS, createStack, faultsOf } from '../support/infra/synthesise.ts';

describe('the cross-field validation of stack options', () => {
  it.each<[string, EdgepressOptions, string]>([
    ['domain names without a certificate', { domainNames: ['img.example.com'] }, 'domainNames'],
    [
      'a certificate without domain names',
      { certificateArn: ALL_OPTIONS.certificateArn ?? '' },
      'domainNames',
    ],
    [
      'a wildcard as the domain name of signed URLs',
      { ...ALL_OPTIONS, domainNames: '*.example.com' },
      'domainNames',
    ],
    ['large batches without a window', { workerBatchSize: 11 }, 'workerBatchSize'],
    [
      'reserved concurrency that leaves none for the sweep',
      { workerReservedConcurrency: 100 },
      'workerReservedConcurrency',
    ],
    [
      'a source timeout that leaves no time to encode and store',
      { sourceTimeoutMs: 20_000 },
      'sourceTimeoutMs',
    ],
    ['every bucket as a source', { sourceAllow: 's3://*/public/*' }, 'sourceAllow'],
    [
      'more source patterns than Lambda has room for',
      {
        sourceAllow: Array.from(
          { length: 100 },
          (_, index) => `https://client-${index}.example.com/images/*`,
        ),
      },
      'sourceAllow',
    ],
  ])('rejects %s', (_, options, name) => {
    const [fault, ...more] = faultsOf(options);
    expect(fault?.startsWith(name)).toBe(true);
    expect(more).toEqual([]);
  });

  it('rejects an alarm topic in another region, once the region of the stack is known', () => {
    const { alarmTopicArn } = ALL_OPTIONS;
    expect(faultsOf({ alarmTopicArn })).toEqual([]);
    expect(faultsOf({ alarmTopicArn }, 'us-east-1')).toEqual([]);
    expect(faultsOf({ alarmTopicArn }, 'eu-west-1')).toEqual([
      'alarmTopicArn: the topic is in us-east-1, but the stack and its alarms are in eu-west-1, and an alarm only notifies topics of its own region',
    ]);
  });

  it('rejects a region that lacks function URLs, and access logs where CloudFront delivers none', () => {
    expect(faultsOf({}, 'ap-south-2')).toEqual([
      expect.stringMatching(/^region: ap-south-2 has no Lambda function URLs, .* deploy to ap-south-1, /),
    ]);
    expect(faultsOf({ accessLogs: true }, 'af-south-1')).toEqual([
      expect.stringMatching(/^accessLogs: CloudFront delivers no access logs to buckets in af-south-1, /),
    ]);
    expect(faultsOf({}, 'af-south-1')).toEqual([]);
    expect(faultsOf({ accessLogs: true }, 'eu-west-1')).toEqual([]);
  });
});

describe('the warnings of the stack', () => {
  const warningsOf = (options: EdgepressOptions, region: string) =>
    Annotations.fromStack(createStack(options, { region }))
      .findWarning('*', Match.anyValue())
      .map(({ entry }) => String(entry.data));
  const otherWarningsOf = (options: EdgepressOptions, region = 'eu-west-1') =>
    warningsOf({ sourceAllow: 'https://*.example.com/*', ...options }, region);

  it('are none for options without a problem', () => {
    expect(otherWarningsOf({})).toEqual([]);
    expect(otherWarningsOf(ALL_OPTIONS, 'us-east-1')).toEqual([]);
  });

  it('say that any address may be fetched without sourceAllow', () => {
    expect(warningsOf({}, 'eu-west-1')).toEqual([
      expect.stringMatching(
        /^sourceAllow is not set: anybody with a signed URL can have any public address fetched\. /,
      ),
    ]);
  });

  it.each<[string, EdgepressOptions, RegExp]>([
    [
      'more concurrency is reserved than accounts have at first',
      { imageReservedConcurrency: 800, workerReservedConcurrency: 101 },
      /^imageReserved.* are 901 together: .* 100 cannot be reserved/,
    ],
    [
      'accessLogDays has no effect without accessLogs',
      { accessLogDays: 30 },
      /^accessLogDays has no effect without accessLogs/,
    ],
  ])('say that %s', (_, options, warning) => {
    expect(otherWarningsOf(options)).toEqual([expect.stringMatching(warning)]);
  });

  it('say that viewerAlarmTopicArn has no effect in us-east-1', () => {
    const viewerAlarmTopicArn = 'arn:aws:sns:us-east-1:123456789012:on-call';
    expect(otherWarningsOf({ viewerAlarmTopicArn })).toEqual([]);
    expect(otherWarningsOf({ viewerAlarmTopicArn }, 'us-east-1')).toEqual([
      expect.stringMatching(/^viewerAlarmTopicArn has no effect/),
    ]);
  });

  it.each<[string, EdgepressOptions, string]>([
    ['alarmCdn5xxPercent in another region', { alarmCdn5xxPercent: 10 }, 'eu-west-1'],
    ['accessLogDays with accessLogs', { accessLogDays: 30, accessLogs: true }, 'eu-west-1'],
  ])('are none for %s', (_, options, region) => {
    expect(otherWarningsOf(options, region)).toEqual([]);
  });
});
