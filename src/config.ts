import { isIPv4 } from 'node:net';
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import {
  type CdnLocation,
  listOf,
  oneOf,
  parseCdn,
  parseHeaderValue,
  parseHttpUrl,
  parsePublicUrl,
  parseQueue,
  parseSigningKeys,
  parseStore,
  parseToken,
  parseWidths,
  type QueueLocation,
  type StoreLocation,
} from './config-values.ts';
import { EFFORTS, type Effort } from './encode/encoder.ts';
import { type Ladder, rungsFor } from './protocol/negotiation.ts';
import { FORMATS, TIERS } from './protocol/request.ts';
import type { SigningKey } from './protocol/signature.ts';
import { parsePrivateHost } from './source/address-guard.ts';
import { type AllowPattern, parseAllowPattern } from './source/allowlist.ts';
import type { WantedVariants } from './unit/unit.ts';

/** All that the environment says, checked. */
export interface Config {
  readonly port: number;
  readonly host: string;
  /** Under which callers reach this service, without a slash at the end; `undefined`: where it listens. */
  readonly publicUrl: string | undefined;
  readonly store: StoreLocation;
  readonly s3Endpoint: string | undefined;
  readonly queue: QueueLocation;
  readonly sqsEndpoint: string | undefined;
  readonly cdn: CdnLocation;
  readonly cloudfrontEndpoint: string | undefined;
  /** Whoever has it may use the unit routes; `undefined`: there are none. */
  readonly adminToken: string | undefined;
  /** What prewarm makes of each image, unless its unit says otherwise. */
  readonly prewarm: WantedVariants;
  /** How hard it tries; what a viewer waits for is always `fast`. */
  readonly prewarmEffort: Effort;
  /** Whether the best of each variant is asked for that was made quickly, for a viewer. */
  readonly upgrade: boolean;
  /** The first one signs; none: URLs are unsigned. */
  readonly signingKeys: readonly SigningKey[];
  readonly sourceAllow: readonly AllowPattern[];
  /** `host:port` that may be private addresses. */
  readonly sourceAllowPrivate: readonly string[];
  readonly sourceMaxBytes: number;
  readonly sourceTimeoutMs: number;
  readonly maxPixels: number;
  readonly ladder: Ladder;
  /** Encodes at once. */
  readonly concurrency: number;
  /** How many requests may wait for an encode. */
  readonly queueLimit: number;
  readonly cacheControl: string;
  readonly logLevel: string;
}

/** Every fault of the environment, each line naming its variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

const MAX_INT32 = 2 ** 31 - 1;
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;

const environment = z.object({
  PORT: integer(0, 65_535, 3000),
  HOST: z.string().default('127.0.0.1'),
  PUBLIC_URL: text(parsePublicUrl).optional(),
  STORE: z.string().default('file:./data').transform(guarded(parseStore)),
  S3_ENDPOINT: text(parseHttpUrl).optional(),
  QUEUE: z.string().default('local').transform(guarded(parseQueue)),
  SQS_ENDPOINT: text(parseHttpUrl).optional(),
  CDN: z.string().default('none').transform(guarded(parseCdn)),
  CLOUDFRONT_ENDPOINT: text(parseHttpUrl).optional(),
  ADMIN_TOKEN: text(parseToken).optional(),
  PREWARM_WIDTHS: text(parseWidths).default([1080]),
  PREWARM_FORMATS: text(listOf(oneOf(FORMATS))).default(['avif', 'webp']),
  PREWARM_TIERS: text(listOf(oneOf(TIERS))).default(['balanced']),
  PREWARM_EFFORT: z
    .string()
    .default('best')
    .transform(guarded(oneOf(EFFORTS))),
  UPGRADE: z.enum(['off', 'on']).default('off'),
  SIGNING_KEYS: text(parseSigningKeys).default([]),
  SOURCE_ALLOW: text(listOf(parseAllowPattern)).default([]),
  SOURCE_ALLOW_PRIVATE: text(listOf(parsePrivateHost)).default([]),
  SOURCE_MAX_BYTES: integer(1, MAX_INT32, 33_554_432),
  SOURCE_TIMEOUT_MS: integer(1, MAX_INT32, 10_000),
  MAX_PIXELS: integer(1, MAX_INT32, 100_000_000),
  WIDTHS: text(parseWidths).default([160, 320, 480, 720, 1080, 1600, 2048]),
  DEFAULT_WIDTH: integer(1, 16_383, 1080),
  CONCURRENCY: integer(1, 1024, availableParallelism()),
  QUEUE_LIMIT: integer(0, 1_000_000, 256),
  CACHE_CONTROL: text(parseHeaderValue).default('public, max-age=604800, s-maxage=31536000'),
  LOG_LEVEL: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`).default('info'),
});

/**
 * Reads the environment. A variable that is empty counts as absent.
 *
 * @throws ConfigError with every fault at once
 */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''));
  const parsed = environment.safeParse(present);
  const faults = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  const host = present['HOST'];
  if (host !== undefined && !isLoopback(host) && present['SIGNING_KEYS'] === undefined) {
    faults.push(
      `HOST: ${host} is not loopback, and unsigned URLs are served on loopback only: set SIGNING_KEYS`,
    );
  }
  if (!parsed.success || faults.length > 0) throw new ConfigError(faults);
  return toConfig(parsed.data);
}

/** Where callers reach the service: as the configuration says, else where the server listens. */
export function baseUrlOf({ publicUrl, host, port }: Config): string {
  return publicUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function toConfig(env: z.infer<typeof environment>): Config {
  return Object.freeze({
    port: env.PORT,
    host: env.HOST,
    publicUrl: env.PUBLIC_URL,
    store: env.STORE,
    s3Endpoint: env.S3_ENDPOINT,
    queue: env.QUEUE,
    sqsEndpoint: env.SQS_ENDPOINT,
    cdn: env.CDN,
    cloudfrontEndpoint: env.CLOUDFRONT_ENDPOINT,
    adminToken: env.ADMIN_TOKEN,
    prewarm: Object.freeze({
      widths: rungsFor(env.PREWARM_WIDTHS, env.WIDTHS),
      tiers: [...new Set(env.PREWARM_TIERS)],
      formats: [...new Set(env.PREWARM_FORMATS)],
    }),
    prewarmEffort: env.PREWARM_EFFORT,
    upgrade: env.UPGRADE === 'on',
    signingKeys: env.SIGNING_KEYS,
    sourceAllow: env.SOURCE_ALLOW,
    sourceAllowPrivate: env.SOURCE_ALLOW_PRIVATE,
    sourceMaxBytes: env.SOURCE_MAX_BYTES,
    sourceTimeoutMs: env.SOURCE_TIMEOUT_MS,
    maxPixels: env.MAX_PIXELS,
    ladder: Object.freeze({ widths: env.WIDTHS, defaultWidth: env.DEFAULT_WIDTH }),
    concurrency: env.CONCURRENCY,
    queueLimit: env.QUEUE_LIMIT,
    cacheControl: env.CACHE_CONTROL,
    logLevel: env.LOG_LEVEL,
  });
}

function integer(min: number, max: number, otherwise: number) {
  const message = `must be a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,10}$/, message)
    .transform(Number)
    .pipe(z.number().min(min, message).max(max, message))
    .default(otherwise);
}

/** A variable whose parser throws an Error that says what is wrong. */
function text<T>(parse: (value: string) => T) {
  return z.string().transform(guarded(parse));
}

/** Turns what a parser throws into a fault of the variable. */
function guarded<I, O>(parse: (value: I) => O) {
  return (value: I, context: z.RefinementCtx): O => {
    try {
      return parse(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
      return z.NEVER;
    }
  };
}
