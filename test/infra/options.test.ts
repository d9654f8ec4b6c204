import { describe, expect, it } from 'vitest';
import { optionsInContext } from '../../infra/context.ts';
import type { EdgepressOptions } from '../../infra/options.ts';
import { OptionsError, readSettings } from '../../infra/settings.ts';
import { createStack, EVERYTHING } from './synthesise.ts';

function faultsOf(options: unknown): readonly string[] {
  try {
    readSettings(options);
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
    expect(() => createStack(options as unknown as EdgepressOptions)).toThrow(OptionsError);
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

describe('options in the context of an app', () => {
  it('are an object, and single ones that win over it', () => {
    const context = { edgepress: { widths: '320', stackName: 'A' }, 'edgepress.stackName': 'B', other: 1 };
    expect(optionsInContext(context)).toEqual({ widths: '320', stackName: 'B' });
  });

  it('are none when nobody gave any', () => {
    expect(optionsInContext({})).toEqual({});
  });

  it('are refused when they are no object', () => {
    expect(faultsOf(optionsInContext({ edgepress: 'widths=320' }))).toHaveLength(1);
  });
});
