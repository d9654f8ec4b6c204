import { availableParallelism } from 'node:os';
import {
  bearerToken,
  cdnLocations,
  headerValue,
  httpUrl,
  listOf,
  MAX_WIDTH,
  metricNamespace,
  oneOf,
  publicUrl,
  queueLocation,
  signingKeys,
  someOf,
  storeLocation,
  switchedOn,
  text,
  type ValueType,
  webhookSecrets,
  wholeNumber,
  widths,
  workerCount,
} from './config-values.ts';
import { EFFORTS } from './encode/encoder.ts';
import { parseNotifyTarget } from './notify/notify-target.ts';
import { FORMATS, TIERS } from './protocol/request.ts';
import { parsePrivateHost } from './source/address-guard.ts';
import { parseAllowPattern } from './source/allowlist.ts';
import { parseIgnoredParameters } from './source/ignored-parameters.ts';
import { parseSourceHeaders } from './source/source-headers.ts';
import { CLIENT_NAMES, parseClients } from './unit/client-profiles.ts';
import { parseIngestPrefix } from './unit/ingest-prefix.ts';

/** One environment variable. */
export interface Variable<T> {
  readonly name: string;
  readonly type: ValueType<T>;
  /**
   * What an unset or empty variable means: the text that would set the same value; or, if no text does or it depends on the machine, the
   * value and how the documentation describes it.
   */
  readonly default: string | { readonly value: T; readonly words: string };
  /** Whether its value must not be shown to anyone. */
  readonly isSecret?: true;
  /** For docs/configuration.md, in Markdown. The values allowed and the default have columns of their own there. */
  readonly doc: string;
}

const MAX_INT32 = 2 ** 31 - 1;
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const OTEL_EXPORTERS = ['otlp', 'none'] as const;
const NO_ENDPOINT = { value: undefined, words: "Amazon's" };

/**
 * Every environment variable, by the name of its field in `Config`. The fields of `Config` and the section "Environment" of
 * docs/configuration.md follow from this table: after a change, run `npm run docs`.
 */
export const VARIABLES = {
  port: variable({
    name: 'PORT',
    type: wholeNumber(0, 65_535),
    default: '3000',
    doc: 'Port to listen on; 0 takes a free one.',
  }),
  host: variable({
    name: 'HOST',
    type: text('a host name or an IP address'),
    default: '127.0.0.1',
    doc: 'Address to listen on. Anything but loopback needs `SIGNING_KEYS`, since unsigned URLs are served on loopback only.',
  }),
  publicUrl: variable({
    name: 'PUBLIC_URL',
    type: publicUrl,
    default: { value: undefined, words: '`http://HOST:PORT`' },
    doc: 'Where callers reach the service: what image URLs in reports and from `edgepress sign` start with.',
  }),
  store: variable({
    name: 'STORE',
    type: storeLocation,
    default: 'file:./data',
    doc: 'Where variants are stored: a folder on a local disk, or an S3 bucket.',
  }),
  storeMaxBytes: variable({
    name: 'STORE_MAX_BYTES',
    type: wholeNumber(1_000_000, 999_999_999_999_999),
    default: { value: undefined, words: 'no limit' },
    doc: 'What the folder of the store may take on the disk, in bytes. Variants that were not used for longest are [removed](store.md#limits-of-the-store) before that, and made again when they are asked for. A bucket has lifecycle rules for that.',
  }),
  storeMaxAgeDays: variable({
    name: 'STORE_MAX_AGE_DAYS',
    type: wholeNumber(1, 36_500),
    default: { value: undefined, words: 'no limit' },
    doc: 'Variants that were not used for so many days are removed from the folder of the store. A bucket has lifecycle rules for that.',
  }),
  s3Endpoint: variable({
    name: 'S3_ENDPOINT',
    type: httpUrl,
    default: NO_ENDPOINT,
    doc: 'Another S3 server. Credentials and region are found as by every AWS SDK.',
  }),
  queue: variable({
    name: 'QUEUE',
    type: queueLocation,
    default: 'local',
    doc: 'Where units wait to be prewarmed. `local` keeps them in the store, for one process.',
  }),
  sqsEndpoint: variable({
    name: 'SQS_ENDPOINT',
    type: httpUrl,
    default: NO_ENDPOINT,
    doc: 'Another SQS server.',
  }),
  ingestFrom: variable({
    name: 'INGEST_FROM',
    type: listOf('`s3://BUCKET/PREFIX`, several separated by commas', parseIngestPrefix),
    default: { value: [], words: 'none' },
    doc: 'Where new objects are files of units: their events in the SQS queue make the worker [read them](unit-input.md#new-objects-in-s3).',
  }),
  notify: variable({
    name: 'NOTIFY',
    type: listOf(
      '`https://HOST/PATH`, `sns:TOPIC-ARN`, `eventbridge:BUS`, `file:PATH`, or `-` for standard output; several separated by commas',
      parseNotifyTarget,
    ),
    default: { value: [], words: 'none' },
    doc: 'Who is [told](notifications.md) when the last image of a unit has become ready or broken, and when a unit is given up.',
  }),
  notifySecret: variable({
    name: 'NOTIFY_SECRET',
    isSecret: true,
    type: webhookSecrets,
    default: { value: undefined, words: 'none' },
    doc: 'The secrets that events for `https:` targets of `NOTIFY` are signed with, as [Standard Webhooks](https://www.standardwebhooks.com) says. While a secret is replaced, each of them signs.',
  }),
  notifyAllowPrivate: variable({
    name: 'NOTIFY_ALLOW_PRIVATE',
    type: listOf('`HOST:PORT,HOST:PORT`', parsePrivateHost),
    default: { value: [], words: 'none' },
    doc: 'Targets of `NOTIFY` that may be at private addresses, and may be `http:`.',
  }),
  cdn: variable({
    name: 'CDN',
    type: cdnLocations,
    default: 'none',
    doc: 'The CDN, or the caches of your own, in which purged units are invalidated. It also decides in which [header](purge.md#caches-and-cdns) responses name their cache tags, beside `x-amz-meta-cache-tag`.',
  }),
  cdnPurgeToken: variable({
    name: 'CDN_PURGE_TOKEN',
    isSecret: true,
    type: bearerToken,
    default: { value: undefined, words: 'none' },
    doc: 'The API token for `cloudflare:` (permission Cache Purge on the zone) or `fastly:` (scope `purge_select`), or the API key of the account for `bunny:`.',
  }),
  cdnHttpToken: variable({
    name: 'CDN_HTTP_TOKEN',
    isSecret: true,
    type: bearerToken,
    default: { value: undefined, words: 'none' },
    doc: 'Is sent as `Authorization: Bearer` with each `PURGE` to the URLs in `CDN`.',
  }),
  cdnEndpoint: variable({
    name: 'CDN_ENDPOINT',
    type: publicUrl,
    default: { value: undefined, words: "the CDN's" },
    doc: 'Another server with the API of Cloudflare, Fastly or Bunny.',
  }),
  cloudfrontEndpoint: variable({
    name: 'CLOUDFRONT_ENDPOINT',
    type: httpUrl,
    default: NO_ENDPOINT,
    doc: 'Another server with the API of CloudFront.',
  }),
  signingKeys: variable({
    name: 'SIGNING_KEYS',
    isSecret: true,
    type: signingKeys,
    default: { value: [], words: 'none: URLs are not signed' },
    doc: 'The keys of [signed URLs](signing.md). The first one signs; all of them verify.',
  }),
  adminToken: variable({
    name: 'ADMIN_TOKEN',
    isSecret: true,
    type: bearerToken,
    default: { value: undefined, words: 'none: these routes do not exist' },
    doc: 'The bearer token of the [unit routes](units.md#http-api) and `GET /metrics`.',
  }),
  pages: variable({
    name: 'PAGES',
    type: switchedOn,
    default: 'on',
    doc: '`on`: the service has [pages for people](pages.md): the playground at `/`, and `/units` with `ADMIN_TOKEN`. Not on AWS Lambda.',
  }),
  sourceAllow: variable({
    name: 'SOURCE_ALLOW',
    type: listOf('patterns such as `https://*.example.com/*,s3://originals/*`', parseAllowPattern),
    default: { value: [], words: 'any public http(s) address, and no bucket' },
    doc: 'The sources that may be fetched. A pattern is matched against scheme, host (`*.` stands for whole labels), port and path, at every redirect.',
  }),
  sourceAllowPrivate: variable({
    name: 'SOURCE_ALLOW_PRIVATE',
    type: listOf('`HOST:PORT,HOST:PORT`', parsePrivateHost),
    default: { value: [], words: 'none' },
    doc: 'Sources that may be at private addresses. The address guard refuses all others.',
  }),
  sourceHeaders: variable({
    name: 'SOURCE_HEADERS',
    isSecret: true,
    type: {
      allowed:
        'JSON such as `{"https://images.example.com/*": {"Authorization": "Bearer …"}}`, or the ARN of a secret in Secrets Manager that contains such JSON',
      parse: parseSourceHeaders,
    },
    default: { value: undefined, words: 'none' },
    doc: 'Headers of requests to private sources, by pattern (as in `SOURCE_ALLOW`, with a host). They are not sent on when a redirect leaves the host, and are in no log, error or URL. A secret is read again every five minutes.',
  }),
  sourceIgnoredParameters: variable({
    name: 'SOURCE_IGNORED_PARAMETERS',
    type: {
      allowed: 'JSON such as `{"*.amazonaws.com": ["X-Amz-*"], "images.example.com": ["token", "expires"]}`',
      parse: parseIgnoredParameters,
    },
    default: { value: [], words: 'none' },
    doc: 'Parameters of source URLs that do not say which image it is, by host (`*.` stands for whole labels; a `*` at the end of a name for anything): a URL that was signed anew leads to the variants that are stored, and the newest URL is used to fetch. A change leaves what is stored under the old keys until its units are purged.',
  }),
  sourceUserAgent: variable({
    name: 'SOURCE_USER_AGENT',
    type: headerValue,
    default: { value: undefined, words: '`edgepress/VERSION (+PUBLIC_URL)`' },
    doc: 'The `User-Agent` of requests to sources. Some hosts refuse programs that do not say where their operator can be reached: name a page or an e-mail address.',
  }),
  sourceMaxBytes: variable({
    name: 'SOURCE_MAX_BYTES',
    type: wholeNumber(1, MAX_INT32),
    default: '33554432',
    doc: 'The largest source that is accepted, in bytes.',
  }),
  sourceTimeoutMs: variable({
    name: 'SOURCE_TIMEOUT_MS',
    type: wholeNumber(1, MAX_INT32),
    default: '10000',
    doc: 'Timeout of a whole fetch, redirects included, in milliseconds.',
  }),
  maxPixels: variable({
    name: 'MAX_PIXELS',
    type: wholeNumber(1, MAX_INT32),
    default: '100000000',
    doc: 'The most pixels that a source may have, all frames of an animation together. It bounds the memory that decoding takes. Whatever its value, no source is decoded that could take more than 900 MiB: at most 47 megapixels of AVIF, 55 of HEIC; docs/originals.md has all types.',
  }),
  widths: variable({
    name: 'WIDTHS',
    type: widths,
    default: '160,320,480,720,1080,1600,2048',
    doc: 'The width ladder: the only widths that are made. A requested width goes up to the next rung.',
  }),
  defaultWidth: variable({
    name: 'DEFAULT_WIDTH',
    type: wholeNumber(1, MAX_WIDTH),
    default: '1080',
    doc: 'The width of a request without `w`, in pixels. It goes up the ladder like any other.',
  }),
  prewarmFor: variable({
    name: 'PREWARM_FOR',
    type: {
      allowed: `one or more of ${CLIENT_NAMES.map((name) => `\`${name}\``).join(', ')}, separated by commas, with the widths of their screens or without: \`android-app:720,web:720,1080,save-data\``,
      parse: parseClients,
    },
    default: { value: [], words: 'none: the three variables below' },
    doc: 'Who the images are for: prewarm makes the widths and formats that [these clients](apps.md) ask for, and for `save-data` the tier `saver` too, in all combinations. Without the width of a screen: `DEFAULT_WIDTH`. What `PREWARM_WIDTHS`, `PREWARM_FORMATS` and `PREWARM_TIERS` name is made as well. A unit may say `for` itself.',
  }),
  prewarmWidths: variable({
    name: 'PREWARM_WIDTHS',
    type: widths,
    default: { value: undefined, words: '`1080`, or with `PREWARM_FOR` the widths of its clients' },
    doc: 'The widths that prewarm makes of each image, unless its unit names others. They go up the ladder.',
  }),
  prewarmFormats: variable({
    name: 'PREWARM_FORMATS',
    type: someOf(FORMATS),
    default: { value: undefined, words: '`avif,webp`, or with `PREWARM_FOR` the formats of its clients' },
    doc: 'The formats that prewarm makes of each image, unless its unit names others.',
  }),
  prewarmTiers: variable({
    name: 'PREWARM_TIERS',
    type: someOf(TIERS),
    default: 'balanced',
    doc: 'The quality tiers that prewarm makes of each image, unless its unit names others.',
  }),
  prewarmEffort: variable({
    name: 'PREWARM_EFFORT',
    type: oneOf(EFFORTS),
    default: 'best',
    doc: 'How hard prewarm tries. `fast` takes a tenth of the time, for a quarter to two fifths more bytes. What a viewer waits for is always `fast`.',
  }),
  prewarmFetchesPerHost: variable({
    name: 'PREWARM_FETCHES_PER_HOST',
    type: wholeNumber(1, 10_000),
    default: { value: undefined, words: '8, or 32 with an SQS queue' },
    doc: 'The most sources that prewarm fetches from one host at the same time: with an SQS queue, all its workers and servers [together](units.md#kind-to-clients-servers). Give all of them the same value.',
  }),
  upgrade: variable({
    name: 'UPGRADE',
    type: switchedOn,
    default: 'off',
    doc: '`on`: each variant that a viewer was given, and that is `fast` or was made by an earlier version, is made again at `best` effort, once, by way of the queue.',
  }),
  concurrency: variable({
    name: 'CONCURRENCY',
    type: wholeNumber(1, 1024),
    default: { value: availableParallelism(), words: 'the number of CPU cores' },
    doc: 'How many images are encoded at the same time.',
  }),
  encoderProcesses: variable({
    name: 'ENCODER_PROCESSES',
    type: switchedOn,
    default: 'on',
    doc: '`on`: images are decoded and encoded in processes of their own, so that no file can stop or crash the server. `off`: in the process of the server, which takes some 100 MB less memory.',
  }),
  workers: variable({
    name: 'WORKERS',
    type: workerCount,
    default: '1',
    doc: 'How many processes serve the port of `npm start`. One is enough for the encodes of sixteen cores; more answer more hits. They share one queue and the limits: docs/operations.md has which.',
  }),
  queueLimit: variable({
    name: 'QUEUE_LIMIT',
    type: wholeNumber(0, 1_000_000),
    default: '256',
    doc: 'How many requests may wait for an encode before `overloaded` is answered. Requests that join one in flight do not count. Those that would wait for more than six seconds are refused in any case: docs/overload.md.',
  }),
  cacheControl: variable({
    name: 'CACHE_CONTROL',
    type: headerValue,
    default: 'public, max-age=604800, s-maxage=86400, stale-while-revalidate=86400',
    doc: 'The `Cache-Control` of stored variants; shared caches keep those of effort `fast` for a day at most, because prewarm may replace them. Keep `s-maxage`, for shared caches, well below `max-age`, for devices: shared caches send `Age`, and a device that gets a copy older than `max-age` asks again at each view.',
  }),
  otlpEndpoint: variable({
    name: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    type: httpUrl,
    default: { value: undefined, words: 'none: nothing is sent, and the SDK is not loaded' },
    doc: 'A collector of OpenTelemetry, such as `http://127.0.0.1:4318`: spans and metrics are sent to it by OTLP over HTTP (protobuf). The [other standard variables](https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/) count too: `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG`, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_BSP_…`. The functions on AWS send spans only.',
  }),
  otelTracesExporter: variable({
    name: 'OTEL_TRACES_EXPORTER',
    type: oneOf(OTEL_EXPORTERS),
    default: 'otlp',
    doc: '`none`: no spans are recorded, although there is a collector.',
  }),
  otelMetricsExporter: variable({
    name: 'OTEL_METRICS_EXPORTER',
    type: oneOf(OTEL_EXPORTERS),
    default: 'otlp',
    doc: '`none`: no metrics are sent, although there is a collector.',
  }),
  otelMetricIntervalMs: variable({
    name: 'OTEL_METRIC_EXPORT_INTERVAL',
    type: wholeNumber(1000, MAX_INT32),
    default: '60000',
    doc: 'How often metrics are sent to the collector, in milliseconds.',
  }),
  emfNamespace: variable({
    name: 'EMF_NAMESPACE',
    type: metricNamespace,
    default: { value: undefined, words: 'none: no metrics' },
    doc: 'For the functions and containers on AWS: CloudWatch makes metrics of their log lines, in this namespace (embedded metric format). A server has those of prewarmed images, failures of the store and circuit breakers; those of requests are for the image function only. AWS bills each as a custom metric, at $0.30 a month: ten in a quiet month, some forty in one of incidents.',
  }),
  ignoredVariables: variable({
    name: 'IGNORED_VARIABLES',
    type: listOf('names of variables, separated by commas', (name) => name),
    default: { value: [], words: 'none' },
    doc: 'Variables of other programs. Any other whose name looks like one of this table, but is none, is refused: a misspelt `SIGNING_KEYS` would open the service to everyone.',
  }),
  logLevel: variable({
    name: 'LOG_LEVEL',
    type: oneOf(LOG_LEVELS),
    default: 'info',
    doc: 'The lowest level that is logged.',
  }),
};

/** Lets the compiler infer the type of the value. */
function variable<T>(variable: Variable<T>): Variable<T> {
  return variable;
}
