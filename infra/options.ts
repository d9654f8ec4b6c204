import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { listOf, oneOf, valueType, wholeNumber } from '../src/config-values.ts';
import { VARIABLES } from '../src/config-variables.ts';
import { SECRET_ARN } from '../src/source/source-headers.ts';
import {
  flag,
  matching,
  numberAmong,
  option,
  type StackOption,
  type VariableOption,
  variable,
} from './option-values.ts';

const CERTIFICATE = /^arn:aws:acm:us-east-1:\d{12}:certificate\/[\w-]+$/;
const WEB_ACL = /^arn:aws:wafv2:us-east-1:\d{12}:global\/webacl\/[\w-]+\/[\w-]+$/;
const TOPIC = /^arn:aws:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}$/;
const LAYER = /^arn:aws:lambda:[a-z0-9-]+:\d{12}:layer:[\w-]{1,140}:\d+$/;
const STACK_NAME = /^[A-Za-z][A-Za-z0-9-]{0,40}$/;
const HOST = /^(\*\.)?([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;
const HOST_NAMES = 'host names in lower case, separated by commas';
/** https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/origin-shield.html#choose-origin-shield-region */
const SHIELD_REGIONS = [
  ...['us-east-1', 'us-east-2', 'us-west-2', 'sa-east-1', 'eu-central-1', 'eu-west-1', 'eu-west-2'],
  ...['ap-south-1', 'ap-northeast-1', 'ap-northeast-2', 'ap-southeast-1', 'ap-southeast-2'],
] as const;
const RETENTIONS = Object.values(RetentionDays).filter(
  (days): days is RetentionDays => typeof days === 'number' && days !== RetentionDays.INFINITE,
);
/** Below 512 MB, decoding the largest source that is allowed would run out of memory. */
const memoryMb = wholeNumber(512, 10_240);
const percent = wholeNumber(1, 100);
/** A function has no disk that lasts. */
const notifyTargets = valueType(
  '`https://HOST/PATH`, `sns:TOPIC-ARN`, `eventbridge:BUS`, or `-` for the log; several separated by commas',
  (text) => (VARIABLES.notify.type.parse(text).some(({ kind }) => kind === 'file') ? undefined : text),
);
const NONE = { value: undefined, words: 'none' };
const ITS_VCPUS = { value: undefined, words: 'its vCPUs' };

/**
 * Every option of the stack. The types below, validation, defaults, the environment of the functions, and the section "Stack options"
 * of docs/configuration.md follow from this table: after a change, run `npm run docs`. Bounds are those of AWS unless a comment says
 * otherwise.
 */
export const OPTIONS = {
  stackName: option({
    type: matching(STACK_NAME, 'a letter, then up to 40 letters, digits and `-`'),
    default: 'Edgepress',
    doc: 'The name of the stack. One account may have several stacks, but each needs a different name, even in another region: names at CloudFront are unique in the account.',
  }),

  sourceAllow: variable(
    VARIABLES.sourceAllow,
    (_, given) => given,
    'An `s3` pattern must name its bucket: the functions may read what the pattern matches there, and nothing else.',
  ),
  sourceHeaders: {
    ...variable(
      VARIABLES.sourceHeaders,
      (_, given) => given,
      'On AWS, only the ARN of a secret, so that none is in a template or in the settings of a function; the functions may read it. A secret encrypted with a key of your own needs a key policy that lets them decrypt it.',
    ),
    type: matching(SECRET_ARN, 'the ARN of a secret in Secrets Manager'),
  },
  sourceIgnoredParameters: variable(
    VARIABLES.sourceIgnoredParameters,
    (_, given) => given,
    'They are built into the edge function, too, which has room for a few hosts.',
  ),
  sourceUserAgent: variable(VARIABLES.sourceUserAgent, ({ sourceUserAgent }) => sourceUserAgent),
  sourceMaxBytes: variable(VARIABLES.sourceMaxBytes, ({ sourceMaxBytes }) => String(sourceMaxBytes)),
  sourceTimeoutMs: variable(
    VARIABLES.sourceTimeoutMs,
    ({ sourceTimeoutMs }) => String(sourceTimeoutMs),
    'Must leave 26 seconds of `imageTimeoutSeconds` for S3 and the encoder.',
  ),
  maxPixels: variable(VARIABLES.maxPixels, ({ maxPixels }) => String(maxPixels)),
  widths: variable(
    VARIABLES.widths,
    ({ ladder }) => ladder.widths.join(','),
    'They are built into the edge function, too. Variants of a rung that is removed stay in the store until their units are purged.',
  ),
  defaultWidth: variable(VARIABLES.defaultWidth, ({ ladder }) => String(ladder.defaultWidth)),
  prewarmFor: variable(VARIABLES.prewarmFor, (_, given) => given),
  prewarmWidths: variable(VARIABLES.prewarmWidths, ({ prewarm }) => prewarm.widths.join(',')),
  prewarmFormats: variable(VARIABLES.prewarmFormats, ({ prewarm }) => prewarm.formats.join(',')),
  prewarmTiers: variable(VARIABLES.prewarmTiers, ({ prewarm }) => prewarm.tiers.join(',')),
  prewarmEffort: variable(VARIABLES.prewarmEffort, ({ prewarmEffort }) => prewarmEffort),
  ingestFrom: variable(
    VARIABLES.ingestFrom,
    (_, given) => given,
    'The stack has a rule of EventBridge for each that sends the events to its queue, and the worker may read these objects. The buckets have to be in the region of the stack, with Amazon EventBridge turned on in their properties.',
  ),
  notify: {
    ...variable(
      VARIABLES.notify,
      (_, given) => given,
      'The worker may publish to the topics and buses that are named. An encrypted topic needs a key policy that lets the worker use its key.',
    ),
    type: notifyTargets,
  },
  notifySecret: {
    ...variable(
      VARIABLES.notifySecret,
      (_, given) => given,
      'On AWS, only the ARN of a secret; the worker may read it.',
    ),
    type: matching(SECRET_ARN, 'the ARN of a secret in Secrets Manager'),
  },
  prewarmFetchesPerHost: variable(VARIABLES.prewarmFetchesPerHost, ({ prewarmFetchesPerHost }) =>
    prewarmFetchesPerHost === undefined ? undefined : String(prewarmFetchesPerHost),
  ),
  upgrade: variable(VARIABLES.upgrade, ({ upgrade }) => (upgrade ? 'on' : 'off')),
  cacheControl: variable(VARIABLES.cacheControl, ({ cacheControl }) => cacheControl),
  logLevel: variable(VARIABLES.logLevel, ({ logLevel }) => logLevel),
  emfNamespace: variable(
    VARIABLES.emfNamespace,
    ({ emfNamespace }) => emfNamespace,
    'The stack then has alarms and a row of the dashboard on these metrics. Each stack needs a namespace of its own.',
  ),
  otlpEndpoint: variable(
    VARIABLES.otlpEndpoint,
    ({ otlpEndpoint }) => otlpEndpoint,
    'With `collectorLayerArn`: `http://127.0.0.1:4318`, as a rule.',
  ),
  collectorLayerArn: option({
    type: matching(LAYER, 'the ARN of a version of a Lambda layer'),
    default: NONE,
    doc: 'A layer with a collector for `otlpEndpoint` that runs beside each instance of the functions, such as that of the AWS Distro for OpenTelemetry (arm64). The functions may then send traces to X-Ray, and X-Ray samples requests.',
  }),

  imageMemoryMb: option({
    type: memoryMb,
    default: '1769',
    doc: 'Memory of the image function, which makes a variant on its first request, in MB. CPU grows with it: 1,769 MB is one vCPU.',
  }),
  imageTimeoutSeconds: option({
    // CloudFront waits for an origin 120 s at most, unless AWS raises that quota.
    type: wholeNumber(30, 115),
    default: '45',
    doc: 'Timeout of the image function, in seconds. CloudFront waits five seconds longer.',
  }),
  imageConcurrency: option({
    type: wholeNumber(1, 64),
    default: ITS_VCPUS,
    doc: '`CONCURRENCY` of the image function: the encodes that one instance does at a time.',
  }),
  imageReservedConcurrency: option({
    type: wholeNumber(1, 100_000),
    default: { value: undefined, words: "none: it shares the account's concurrency" },
    doc: 'Reserved concurrency of the image function, which is also its maximum.',
  }),

  workerMemoryMb: option({
    type: memoryMb,
    default: '1769',
    doc: 'Memory of the worker, in MB. It prewarms units, and sweeps every ten minutes.',
  }),
  workerConcurrency: option({
    type: wholeNumber(1, 64),
    default: ITS_VCPUS,
    doc: '`CONCURRENCY` of the worker: the encodes that one instance does at a time.',
  }),
  workerMaxConcurrency: option({
    type: wholeNumber(2, 1000),
    default: '100',
    doc: "The maximum number of worker instances that process the queue. The rest of the account's concurrency (1,000 at first) is for viewers.",
  }),
  workerReservedConcurrency: option({
    type: wholeNumber(3, 100_000),
    default: NONE,
    doc: 'Reserved concurrency of the worker: at least one more than `workerMaxConcurrency`, for the sweep.',
  }),
  workerBatchSize: option({
    type: wholeNumber(1, 10_000),
    default: '2',
    doc: 'Messages in one invocation of the worker. More than 10 need a `workerBatchWindowSeconds`. A message has up to 25 units or 50 images.',
  }),
  workerBatchWindowSeconds: option({
    type: wholeNumber(0, 300),
    default: '0',
    doc: 'How long a batch may wait to fill up, in seconds.',
  }),
  queueRetentionDays: option({
    // A dead letter keeps its age: SQS's fourteenth and last day is left for someone to look at it.
    type: wholeNumber(1, 13),
    default: '7',
    doc: 'How long a message may wait for the worker, in days. One that failed five times is then kept as a dead letter until it is 14 days old.',
  }),

  variantDays: option({
    type: wholeNumber(1, 36_500),
    default: { value: undefined, words: 'never' },
    doc: 'After how many days variants, manifests and source records are deleted.',
  }),
  deleteBucket: option({
    type: flag,
    default: 'false',
    doc: 'Whether the bucket is deleted with the stack; it must be emptied first. Otherwise the bucket stays.',
  }),
  logRetentionDays: option({
    type: numberAmong(RETENTIONS),
    default: '30',
    doc: 'How long the logs of the functions are kept, in days.',
  }),

  domainNames: option({
    type: listOf(HOST_NAMES, matching(HOST, HOST_NAMES).parse),
    default: { value: [], words: "CloudFront's own" },
    doc: 'Host names of image URLs, with `certificateArn`. The first one is used in signed URLs.',
  }),
  certificateArn: option({
    type: matching(CERTIFICATE, 'the ARN of an ACM certificate in us-east-1'),
    default: NONE,
    doc: 'The certificate of `domainNames`.',
  }),
  webAclArn: option({
    type: matching(WEB_ACL, 'the ARN of a WAFv2 web ACL for CloudFront (us-east-1, global)'),
    default: NONE,
    doc: 'A web ACL for the distribution.',
  }),
  originShieldRegion: option({
    type: oneOf(SHIELD_REGIONS),
    default: { value: undefined, words: 'no Origin Shield' },
    doc: "The region of Origin Shield, one more cache in front of S3 and the image function: the stack's own region, or the nearest that has it.",
  }),
  priceClass: option({
    type: oneOf(['all', '200', '100'] as const),
    default: 'all',
    doc: 'The edge locations that answer: all of them, `200` (not South America, Australia and New Zealand), or `100` (North America, Europe and Israel).',
  }),
  accessLogs: option({
    type: flag,
    default: 'false',
    doc: 'Whether CloudFront logs each request, signed URL included, into a bucket of its own.',
  }),
  accessLogDays: option({
    type: wholeNumber(1, 3650),
    default: '90',
    doc: 'How long the access logs are kept, in days.',
  }),
  additionalMetrics: option({
    type: flag,
    default: 'false',
    doc: 'Whether CloudFront reports its hit rate and the latency of the origins, for a few dollars a month.',
  }),

  alarmTopicArn: option({
    type: matching(TOPIC, 'the ARN of an SNS topic'),
    default: { value: undefined, words: 'none: alarms only show on the dashboard' },
    doc: "An SNS topic in the stack's region that is notified when an alarm goes off and when it clears.",
  }),
  alarmFunctionUrl5xxPercent: option({
    type: percent,
    default: '25',
    doc: "Threshold of 5xx among the answers of the image function, in percent. Broken sources on the clients' servers count, too.",
  }),
  alarmCdn5xxPercent: option({
    type: percent,
    default: '5',
    doc: "Threshold of 5xx among the answers to viewers, in percent. Only a stack in us-east-1 has this alarm, because CloudFront's metrics are there.",
  }),
  alarmCdn4xxPercent: option({
    type: percent,
    default: '50',
    doc: 'Threshold of 4xx among the answers to viewers, in percent. Only in us-east-1, too.',
  }),
  alarmLatencySeconds: option({
    type: wholeNumber(1, 115),
    default: { value: undefined, words: 'two seconds more than `sourceTimeoutMs`' },
    doc: 'Threshold of the 99th percentile of the duration of the image function, in seconds.',
  }),
  alarmQueueAgeMinutes: option({
    type: wholeNumber(1, 14 * 24 * 60),
    default: '120',
    doc: 'Threshold of the age of the oldest message in the queue, in minutes. A message that failed is received again after an hour and a half.',
  }),
};

type Options = typeof OPTIONS;
export type OptionName = keyof Options;
export const OPTION_NAMES = Object.keys(OPTIONS) as readonly OptionName[];

/**
 * Options as they are set, none of them required: in `cdk.json` in the object `context.edgepress`, or on the command line as
 * `-c edgepress.NAME=VALUE`, which overrides the object. Numbers, flags and lists (comma-separated) may also be given as text.
 */
export type EdgepressOptions = {
  readonly [Name in OptionName]?: Options[Name] extends VariableOption<infer T>
    ? T extends boolean
      ? 'on' | 'off'
      : Settable<T>
    : Options[Name] extends StackOption<infer T>
      ? Settable<NonNullable<T>>
      : never;
};

type Settable<T> = T extends number | boolean | string ? T : string | readonly (string | number)[];

/** The options after validation, with their defaults. One that sets an environment variable is its text. */
export type CheckedOptions = {
  readonly [Name in OptionName]: Options[Name] extends StackOption<infer T> ? T : never;
};
