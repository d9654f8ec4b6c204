import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { describe, expect, it } from 'vitest';
import type { EdgepressOptions } from '../../infra/options.ts';
import { readContext } from '../../infra/validation.ts';
import { ALL_OPTIONS, faultsOf } from '../support/infra/synthesise.ts';

describe('the validation of stack options', () => {
  it('accepts every option together', () => {
    expect(faultsOf(ALL_OPTIONS)).toEqual([]);
  });

  it('reports every invalid option at once, of the stack as of the environment', () => {
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
    expect(named).toEqual(Object.keys(options));
  });

  it('reports cross-field faults too, unless they rest on an invalid option', () => {
    const options = {
      sourceAlow: 'https://*.example.com/*',
      widths: 'wide',
      workerBatchSize: 20,
      sourceTimeoutMs: 30_000,
      workerMaxConcurrency: 'all',
      workerReservedConcurrency: 50,
    };
    expect(faultsOf(options)).toEqual([
      'sourceAlow: there is no such option: did you mean sourceAllow? All are in docs/configuration.md',
      'widths: must be widths in pixels from 1 to 16383, separated by commas',
      'workerMaxConcurrency: must be a whole number from 2 to 1000; it is "all"',
      'workerBatchSize: more than 10 need a workerBatchWindowSeconds of 1 or more',
      'sourceTimeoutMs: 30000 leaves less than 26 s of imageTimeoutSeconds, 45',
    ]);
  });

  it('does not blame a valid option for an invalid one that it needs', () => {
    expect(faultsOf({ ...ALL_OPTIONS, certificateArn: 'mine' })).toEqual([
      'certificateArn: must be the ARN of an ACM certificate in us-east-1',
    ]);
  });

  it.each([
    ['widht', 'widths'],
    ['SOURCE_ALLOW', 'sourceAllow'],
    ['workersMaxConcurency', 'workerMaxConcurrency'],
  ])('suggests an existing option for %s', (name, suggestion) => {
    expect(faultsOf({ [name]: '1' })).toEqual([
      `${name}: there is no such option: did you mean ${suggestion}? All are in docs/configuration.md`,
    ]);
  });

  it.each(['colour', 'toString'])('suggests nothing for %s, which resembles no option', (name) => {
    expect(faultsOf({ [name]: '1' })).toEqual([
      `${name}: there is no such option. All are in docs/configuration.md`,
    ]);
  });

  it('says in words which values are allowed', () => {
    expect(faultsOf({ logLevel: 'loud', priceClass: 'cheap', upgrade: true, logRetentionDays: 2 })).toEqual([
      'logLevel: must be one of fatal, error, warn, info, debug, trace, silent',
      'priceClass: must be one of all, 200, 100',
      'upgrade: must be off or on',
      expect.stringMatching(/^logRetentionDays: must be one of 1, 3, 5, 7, 14, 30, .*, 3653$/),
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
    ['domainNames', []],
    ['priceClass', 300],
    ['cacheControl', ''],
    ['prewarmTiers', 'best'],
    ['defaultWidth', 0],
    ['maxPixels', 'many'],
    ['maxPixels', { pixels: 1 }],
    ['logLevel', 'loud'],
  ])('rejects %s %j, as AWS or the functions would', (name, value) => {
    expect(faultsOf({ [name]: value }).map((fault) => fault.split(':')[0])).toContain(name);
  });
});

describe('the options in the context of a CDK app', () => {
  it('are the object edgepress, overridden by single options', () => {
    const context = { edgepress: { widths: '320', stackName: 'A' }, 'edgepress.stackName': 'B', other: 1 };
    expect(readContext(context)).toEqual({ options: { widths: '320', stackName: 'B' }, faults: [] });
  });

  it('are none in a context that has only entries of others', () => {
    const others = {
      '@aws-cdk/core:checkSecretUsage': true,
      'aws:cdk:bundling-stacks': [],
      'express.port': 1,
    };
    expect(readContext(others)).toEqual({ options: {}, faults: [] });
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
  ])('are not ignored under the misspelled name %s, but rejected', (name, suggestion) => {
    const hint = suggestion === undefined ? '' : `: did you mean ${suggestion}?`;
    expect(readContext({ [name]: '480' })).toEqual({
      options: {},
      faults: [`${name}: an option is written edgepress.NAME, with exactly these letters${hint}`],
    });
  });

  it('are rejected when edgepress is no object, and single options are still read', () => {
    const context = { edgepress: 'widths=320', 'edgepress.maxPixels': 'many' };
    expect(readContext(context)).toEqual({
      options: { maxPixels: 'many' },
      faults: ['edgepress: must be an object of options; a single one is edgepress.NAME=VALUE'],
    });
  });

  it('takes all retention periods of CloudWatch Logs', () => {
    const periods = Object.values(RetentionDays).filter((days) => Number.isInteger(days));
    const finite = periods.filter((days) => days !== RetentionDays.INFINITE).map(String);
    for (const days of finite) expect(faultsOf({ logRetentionDays: days })).toEqual([]);
    expect(faultsOf({ logRetentionDays: 2 })).toEqual([
      `logRetentionDays: must be one of ${finite.toSorted((a, b) => Number(a) - Number(b)).join(', ')}`,
    ]);
  });
});
