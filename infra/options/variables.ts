import { valueType } from '../../src/config-values.ts';
import { VARIABLES } from '../../src/config-variables.ts';
import { SECRET_ARN } from '../../src/source/source-headers.ts';
import { asciiJson, asciiSourcePatterns } from '../ascii.ts';
import { matching, NONE, option, variable } from './option-values.ts';

const LAYER = /^arn:aws:lambda:[a-z0-9-]+:\d{12}:layer:[\w-]{1,140}:\d+$/;
/** A function has no disk that lasts. */
const notifyTargets = valueType(
  '`https://HOST/PATH`, `sns:TOPIC-ARN`, `eventbridge:BUS`, or `-` for the log; several separated by commas',
  (text) => (VARIABLES.notify.type.parse(text).some(({ kind }) => kind === 'file') ? undefined : text),
);

/** Options that set environment variables of the functions, and the collector that one of them names. */
export const VARIABLE_OPTIONS = {
  sourceAllow: variable(
    VARIABLES.sourceAllow,
    (_, given) => given && asciiSourcePatterns(given),
    'An `s3` pattern must name its bucket: the functions may read what the pattern matches there, and nothing else. In place of other characters than ASCII, a key has `*`; hosts and paths may have them.',
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
    (_, given) => given && asciiJson(JSON.parse(given)),
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
};
