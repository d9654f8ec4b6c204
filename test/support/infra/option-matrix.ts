import type { EdgepressOptions, OptionName } from '../../../infra/options.ts';
import { SHIELD_REGIONS } from '../../../infra/regions.ts';

const topic = (region: string) => `arn:aws:sns:${region}:123456789012:on-call`;
const secret = (name: string) => `arn:aws:secretsmanager:us-east-1:123456789012:secret:${name}-0a1b2c`;

/** Values of an option that differ from its default, or a function of the region. */
type Values = readonly unknown[] | ((region: string) => readonly unknown[]);

/** Values of each option. Those that need each other are set together: by the one that has values. */
const VALUES: Readonly<Record<OptionName, Values>> = {
  stackName: ['Pictures'],
  sourceAllow: [
    ['https://*.example.com/*', 's3://originals/a/*', 'https://bücher.example/*'],
    's3://originals/*',
  ],
  sourceHeaders: [secret('source-headers')],
  sourceIgnoredParameters: ['{"*.amazonaws.com": ["X-Amz-*"]}'],
  sourceUserAgent: ['edgepress (+https://example.com/images)'],
  sourceMaxBytes: [1_000_000],
  sourceTimeoutMs: [5000],
  maxPixels: [10_000_000],
  widths: ['320,1080', '160,320,480,720,1080,1600,2048'],
  defaultWidth: [1080, 320],
  prewarmFor: ['web,android-app:720'],
  prewarmWidths: ['320,1080'],
  prewarmFormats: ['jpeg', 'avif,webp,jpeg'],
  prewarmTiers: ['saver,high'],
  prewarmEffort: ['fast'],
  ingestFrom: [['s3://deliveries/units/', 's3://more-deliveries/']],
  notify: [
    ['https://example.com/hook', 'eventbridge:units', 'sns:arn:aws:sns:eu-west-1:123456789012:units'],
    '-',
  ],
  notifySecret: [secret('hooks')],
  prewarmFetchesPerHost: [4],
  upgrade: ['on'],
  cacheControl: ['public, max-age=600, s-maxage=600'],
  logLevel: ['warn'],
  emfNamespace: ['edgepress/test'],
  otlpEndpoint: ['http://127.0.0.1:4318'],
  collectorLayerArn: ['arn:aws:lambda:us-east-1:123456789012:layer:collector-arm64:7'],
  imageMemoryMb: [512, 10_240],
  imageTimeoutSeconds: [115, 60],
  imageConcurrency: [1, 64],
  imageReservedConcurrency: [1, 200],
  imageCanary: [false],
  workerMemoryMb: [512, 10_240],
  workerConcurrency: [1, 64],
  workerMaxConcurrency: [2, 1000],
  workerReservedConcurrency: [1001],
  workerBatchSize: [10_000, 1],
  workerBatchWindowSeconds: [300, 1],
  queueRetentionDays: [1, 13],
  fargateMaxTasks: [1, 1000],
  fargateVcpus: [1, 2, 8, 16],
  fargateSpot: [false],
  variantDays: [1, 36_500],
  deleteBucket: [true],
  logRetentionDays: [1, 3653],
  domainNames: [['img.example.com', '*.img.example.com']],
  certificateArn: ['arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d'],
  webAclArn: ['arn:aws:wafv2:us-east-1:123456789012:global/webacl/edgepress/0a1b2c3d'],
  originShieldRegion: ['nearest', ...SHIELD_REGIONS],
  priceClass: ['200', '100'],
  accessLogs: [true],
  accessLogDays: [1, 3650],
  additionalMetrics: [true],
  alarmTopicArn: (region) => [topic(region)],
  viewerAlarmTopicArn: [topic('us-east-1')],
  alarmFunctionUrl5xxPercent: [1, 100],
  alarmCdn5xxPercent: [1, 100],
  alarmCdn4xxPercent: [1, 100],
  alarmLatencySeconds: [1, 115],
  alarmQueueAgeMinutes: [1, 20_160],
};

/** Options that are valid only together with another one, which decides about both. */
const FOLLOWS: Partial<Record<OptionName, OptionName>> = {
  certificateArn: 'domainNames',
  workerBatchSize: 'workerBatchWindowSeconds',
};

export const MATRIX_OPTIONS = Object.keys(VALUES) as OptionName[];

/**
 * Returns sets of options in which any two options are both set, both left out, and each set without the other: for each digit of
 * their numbers in binary, one set has those with a 1, and one those with a 0. The values take turns.
 *
 * @param regions - the regions of the sets, which take turns
 */
export function optionMatrix(regions: readonly string[]): { region: string; options: EdgepressOptions }[] {
  const numberOf = (option: OptionName) => MATRIX_OPTIONS.indexOf(FOLLOWS[option] ?? option);
  const digits = Array.from({ length: Math.ceil(Math.log2(MATRIX_OPTIONS.length)) }, (_, digit) => digit);
  const hasDigit = (digit: number, wanted: number) => (option: OptionName) =>
    ((numberOf(option) >> digit) & 1) === wanted;
  const choices = [
    () => false,
    () => true,
    ...digits.flatMap((digit) => [hasDigit(digit, 1), hasDigit(digit, 0)]),
  ];
  return choices.map((isSet, turn) => {
    const region = regions[turn % regions.length] ?? '';
    const entries = MATRIX_OPTIONS.filter(isSet).map((option) => [option, setting(option, turn, region)]);
    return { region, options: Object.fromEntries(entries) };
  });
}

function setting(option: OptionName, turn: number, region: string): unknown {
  const values = VALUES[option];
  const list = typeof values === 'function' ? values(region) : values;
  return list[turn % list.length];
}
