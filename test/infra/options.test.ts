import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { optionsInContext } from '../../infra/context.ts';
import type { EdgepressOptions } from '../../infra/options.ts';
import { OptionsError, readSettings } from '../../infra/settings.ts';
import { createStack, EVERYTHING } from '../support/infra/synthesise.ts';

function faultsOf(options: object, region?: string): readonly string[] {
  try {
    readSettings(options, { region });
  } catch (error) {
    if (error instanceof OptionsError) return error.faults;
    throw error;
  }
  return [];
}

describe('options of the stack', () => {
  it('need not be given', () => {
    expect(readSettings({})).toMatchObject({ stackName: 'Edgepress', workerMaxConcurrency: 100 });
  });

  it('may all be given', () => {
    expect(faultsOf(EVERYTHING)).toEqual([]);
  });

  it('are told with every fault at once, whoever finds it', () => {
    const options = {
      widht: 5,
      widths: '160,wide',
      sourceAllow: 'ftp://example.com',
      prewarmFormats: ['avif', 'bmp'],
      sourceMaxBytes: 1.5,
      workerMaxConcurrency: 1,
      certificateArn: 'arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d',
      deleteBucket: 'maybe',
    };
    const named = faultsOf(options).map((fault) => fault.split(':')[0]);
    expect(named.toSorted()).toEqual(Object.keys(options).toSorted());
  });

  it('are told with what is wrong between them, too, as far as that does not rest on what is wrong already', () => {
    const options = {
      sourceAlow: 'https://*.example.com/*',
      widths: 'wide',
      workerBatchSize: 20,
      sourceTimeoutMs: 30_000,
      workerMaxConcurrency: 'all',
      workerReservedConcurrency: 50,
    };
    expect(faultsOf(options)).toEqual([
      'workerMaxConcurrency: must be a whole number from 2 to 1000',
      'sourceAlow: there is no such option: did you mean sourceAllow? All are in infra/options.ts',
      'widths: must be widths in pixels from 1 to 16383, separated by commas',
      'workerBatchSize: more than 10 need a workerBatchWindowSeconds of 1 or more',
      'sourceTimeoutMs: 30000 leaves less than 26 s of imageTimeoutSeconds, 45',
    ]);
  });

  it.each([
    ['widht', 'widths'],
    ['SOURCE_ALLOW', 'sourceAllow'],
    ['workersMaxConcurency', 'workerMaxConcurrency'],
    ['colour', undefined],
  ])('that do not exist are told with the near one: %s', (name, near) => {
    const hint = near === undefined ? '. ' : `: did you mean ${near}? `;
    expect(faultsOf({ [name]: '1' })).toEqual([
      `${name}: there is no such option${hint}All are in infra/options.ts`,
    ]);
  });

  it('say in words what a value may be', () => {
    expect(faultsOf({ logLevel: 'loud', priceClass: 'cheap' })).toEqual([
      'priceClass: must be one of all, 200, 100',
      'logLevel: must be one of fatal, error, warn, info, debug, trace, silent',
    ]);
  });

  it('refuse a topic that alarms cannot tell, once it is known where they are', () => {
    const { alarmTopicArn } = EVERYTHING;
    expect(faultsOf({ alarmTopicArn }, 'us-east-1')).toEqual([]);
    expect(faultsOf({ alarmTopicArn }, 'eu-west-1')).toEqual([
      'alarmTopicArn: the topic is in us-east-1, and alarms in eu-west-1, where the stack is, tell topics there alone',
    ]);
  });

  it.each<[keyof EdgepressOptions, unknown]>([
    ['workerMaxConcurrency', 1],
    ['workerMaxConcurrency', 1001],
    ['workerBatchSize', 0],
    ['workerBatchSize', 10_001],
    ['workerBatchWindowSeconds', 301],
    ['imageMemoryMb', 10_241],
    ['imageTimeoutSeconds', 116],
    ['queueRetentionDays', 14],
    ['logRetentionDays', 31],
    ['certificateArn', 'arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d'],
    ['webAclArn', 'arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/b'],
    ['originShieldRegion', 'eu-north-1'],
    ['alarmTopicArn', 'on-call'],
    ['domainNames', 'https://img.example.com/'],
    ['priceClass', 300],
    ['cacheControl', ''],
    ['prewarmTiers', 'best'],
    ['defaultWidth', 0],
    ['maxPixels', 'many'],
    ['logLevel', 'loud'],
  ])('refuse %s %j, which AWS or the functions would', (name, value) => {
    expect(faultsOf({ [name]: value }).map((fault) => fault.split(':')[0])).toContain(name);
  });

  it.each<[string, EdgepressOptions, string]>([
    ['names without a certificate', { domainNames: ['img.example.com'] }, 'domainNames'],
    ['a certificate without names', { certificateArn: EVERYTHING.certificateArn ?? '' }, 'domainNames'],
    ['a wildcard as the name to sign for', { ...EVERYTHING, domainNames: '*.example.com' }, 'domainNames'],
    ['large batches without a window', { workerBatchSize: 11 }, 'workerBatchSize'],
    ['no instance for the sweep', { workerReservedConcurrency: 100 }, 'workerReservedConcurrency'],
    ['a source that takes all of the time', { sourceTimeoutMs: 20_000 }, 'sourceTimeoutMs'],
    ['every bucket as a source', { sourceAllow: 's3://*/public/*' }, 'sourceAllow'],
    [
      'more patterns than Lambda has room for',
      {
        sourceAllow: Array.from(
          { length: 100 },
          (_, index) => `https://client-${index}.example.com/images/*`,
        ),
      },
      'sourceAllow',
    ],
  ])('refuse %s', (_, options, name) => {
    const [fault, ...more] = faultsOf(options);
    expect(fault?.startsWith(name)).toBe(true);
    expect(more).toEqual([]);
  });

  it('mean the same as text', () => {
    const typed = { widths: [320, 640], workerMaxConcurrency: 20, accessLogs: true, priceClass: '100' };
    const text = { widths: '320,640', workerMaxConcurrency: '20', accessLogs: 'true', priceClass: 100 };
    expect(readSettings(text)).toEqual(readSettings(typed));
  });

  it('of an instance follow its memory, unless they say otherwise', () => {
    expect(readSettings({ workerMemoryMb: 3538 })).toMatchObject({
      imageConcurrency: 1,
      workerConcurrency: 2,
    });
    expect(readSettings({ workerMemoryMb: 3538, workerConcurrency: 4 })).toMatchObject({
      workerConcurrency: 4,
    });
  });
});

describe('options that are right by themselves', () => {
  it('are not blamed for others', () => {
    expect(faultsOf({ ...EVERYTHING, certificateArn: 'mine' })).toEqual([
      'certificateArn: must be the ARN of an ACM certificate in us-east-1',
    ]);
  });
});

describe('warnings of the stack', () => {
  const allWarned = (options: EdgepressOptions, region: string) =>
    Annotations.fromStack(createStack(options, { region }))
      .findWarning('*', Match.anyValue())
      .map(({ entry }) => String(entry.data));
  const warned = (options: EdgepressOptions, region = 'eu-west-1') =>
    allWarned({ sourceAllow: 'https://*.example.com/*', ...options }, region);

  it('are none when there is no reason', () => {
    expect(warned({})).toEqual([]);
    expect(warned(EVERYTHING, 'us-east-1')).toEqual([]);
  });

  it('are given when anybody may be fetched from', () => {
    expect(allWarned({}, 'eu-west-1')).toEqual([
      expect.stringMatching(
        /^sourceAllow is not set: any public address may be fetched by whoever has a signed URL\. /,
      ),
    ]);
  });

  it.each<[string, EdgepressOptions, RegExp]>([
    [
      'more is reserved than accounts have at first',
      { imageReservedConcurrency: 800, workerReservedConcurrency: 101 },
      /^imageReserved.* are 901 together: .* 100 cannot be reserved/,
    ],
    [
      'logs are kept that are not written',
      { accessLogDays: 30 },
      /^accessLogDays has no effect without accessLogs/,
    ],
    [
      'an alarm is set that is not there',
      { alarmCdn5xxPercent: 10 },
      /^alarmCdn5xxPercent has no effect: .* us-east-1 alone, and the stack is in eu-west-1/,
    ],
    ['another one is', { alarmCdn4xxPercent: 10 }, /^alarmCdn4xxPercent has no effect/],
  ])('are given when %s', (_, options, said) => {
    expect(warned(options)).toEqual([expect.stringMatching(said)]);
  });

  it('are not given where it has an effect', () => {
    expect(warned({ alarmCdn5xxPercent: 10 }, 'us-east-1')).toEqual([]);
    expect(warned({ accessLogDays: 30, accessLogs: true })).toEqual([]);
  });
});

describe('options in the context of an app', () => {
  it('are an object, and single ones that win over it', () => {
    const context = { edgepress: { widths: '320', stackName: 'A' }, 'edgepress.stackName': 'B', other: 1 };
    expect(optionsInContext(context)).toEqual({ options: { widths: '320', stackName: 'B' }, faults: [] });
  });

  it('are none when nobody gave any', () => {
    const others = {
      '@aws-cdk/core:checkSecretUsage': true,
      'aws:cdk:bundling-stacks': [],
      'express.port': 1,
    };
    expect(optionsInContext(others)).toEqual({ options: {}, faults: [] });
  });

  it.each([
    ['edgepres.widths', 'edgepress.widths'],
    ['Edgepress.widths', 'edgepress.widths'],
    ['egdepress.width', 'edgepress.widths'],
    ['edgepress:source-allow', 'edgepress.sourceAllow'],
    ['widths', 'edgepress.widths'],
    ['SOURCE_ALLOW', 'edgepress.sourceAllow'],
    ['Edgepress', undefined],
    ['edgepress.', undefined],
  ])('are refused under the name %s, which nobody would read', (name, meant) => {
    const hint = meant === undefined ? '' : `: did you mean ${meant}?`;
    expect(optionsInContext({ [name]: '480' })).toEqual({
      options: {},
      faults: [`${name}: options are edgepress.NAME, in just these letters${hint}`],
    });
  });

  it('are refused when they are no object, and the others told with that', () => {
    const context = { edgepress: 'widths=320', 'edgepress.maxPixels': 'many' };
    expect(optionsInContext(context)).toEqual({
      options: { maxPixels: 'many' },
      faults: ['edgepress: must be an object of options; a single one is edgepress.NAME=VALUE'],
    });
  });
});
