import { isIPv4 } from 'node:net';
import { TOKEN_KINDS } from './cdn/cdn-location.ts';
import { misspeltVariables } from './config-names.ts';
import { VARIABLES, type Variable } from './config-variables.ts';
import { type Ladder, rungsFor } from './protocol/negotiation.ts';
import { hostAndPort } from './source/address-guard.ts';
import { wantedFor } from './unit/client-profiles.ts';
import type { WantedVariants } from './unit/unit.ts';

/** In pixels. */
const DEFAULT_PREWARM_WIDTH = 1080;
const DEFAULT_PREWARM_FORMATS = ['avif', 'webp'] as const;

const VARIABLE_NAMES: readonly string[] = Object.values(VARIABLES).map(({ name }) => name);

/** The value of each variable. */
type Values = {
  readonly [Field in keyof typeof VARIABLES]: (typeof VARIABLES)[Field] extends Variable<infer T> ? T : never;
};

type Combined =
  | 'widths'
  | 'defaultWidth'
  | 'prewarmFor'
  | 'prewarmWidths'
  | 'prewarmFormats'
  | 'prewarmTiers';

/** The environment, validated: the fields of `VARIABLES`, some of them combined. */
export interface Config extends Omit<Values, Combined> {
  readonly ladder: Ladder;
  /** What prewarm makes of each image, unless its unit says otherwise. */
  readonly prewarm: WantedVariants;
}

/** Every fault of the environment, each starting with the name of its variable. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

/**
 * Reads and validates the environment. An empty variable counts as unset; one that looks like a misspelt one of ours is a fault.
 *
 * @throws ConfigError with every fault that was found
 */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  const faults: string[] = [];
  const entries = Object.entries<Variable<unknown>>(VARIABLES).map(([field, variable]) => {
    try {
      return [field, readVariable(variable, env[variable.name])];
    } catch (error) {
      faults.push(`${variable.name}: ${error instanceof Error ? error.message : String(error)}`);
      return [field, undefined];
    }
  });
  faults.push(...crossFieldFaults(env));
  // Safe: the type and the entries follow from the same table.
  const values = Object.fromEntries(entries) as Values;
  faults.push(...misspeltVariables(env, VARIABLE_NAMES, values.ignoredVariables ?? []));
  if (faults.length === 0) faults.push(...notifyFaults(values), ...cdnFaults(values));
  if (faults.length > 0) throw new ConfigError(faults);
  return toConfig(values);
}

/** How the process listens and logs, whatever it serves. */
const OF_THE_PROCESS: readonly string[] = ['PORT', 'HOST', 'LOG_LEVEL'];

/** Whether the environment says nothing about what to serve: at most where to listen, and what to log. */
export function isUnconfigured(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  return VARIABLE_NAMES.every((name) => !env[name] || OF_THE_PROCESS.includes(name));
}

/** Returns what the configuration leaves open to whoever reaches the service, each as a sentence that names the variable which closes it. */
export function openTo({ signingKeys, sourceAllow }: Config): string[] {
  return [
    ...(signingKeys.length === 0 ? ['URLs need no signature, since SIGNING_KEYS is not set'] : []),
    ...(sourceAllow.length === 0
      ? ['any public address may be a source, since SOURCE_ALLOW is not set']
      : []),
  ];
}

/** Returns the tracing header of X-Ray for the current invocation; AWS Lambda sets it anew for each. */
export function xrayHeader(): string | undefined {
  return process.env['_X_AMZN_TRACE_ID'];
}

/** Where callers reach the service: `PUBLIC_URL`, or else where the server listens. */
export function baseUrlOf({ publicUrl, host, port }: Config): string {
  return publicUrl ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function readVariable<T>(variable: Variable<T>, value: string | undefined): T {
  if (value !== undefined && value !== '') return variable.type.parse(value);
  return typeof variable.default === 'string'
    ? variable.type.parse(variable.default)
    : variable.default.value;
}

function crossFieldFaults(env: Readonly<Record<string, string | undefined>>): string[] {
  const host = env['HOST'] || undefined;
  const faults = ['STORE_MAX_BYTES', 'STORE_MAX_AGE_DAYS']
    .filter((name) => env[name] && env['STORE']?.startsWith('s3:'))
    .map((name) => `${name}: is for a folder: give the bucket a lifecycle rule instead`);
  if (host === undefined || isLoopback(host) || env['SIGNING_KEYS']) return faults;
  const fault = `HOST: ${host} is not loopback, and unsigned URLs are served on loopback only: set SIGNING_KEYS`;
  return [...faults, fault];
}

function notifyFaults({ notify, notifySecret, notifyAllowPrivate }: Values): string[] {
  const webhooks = notify.flatMap((target) => (target.kind === 'webhook' ? [target.url] : []));
  const isPlain = (url: URL) => url.protocol === 'http:' && !notifyAllowPrivate.includes(hostAndPort(url));
  const plain = webhooks
    .filter(isPlain)
    .map((url) => `NOTIFY: ${url.host} must be https: http is for hosts that NOTIFY_ALLOW_PRIVATE names`);
  if (webhooks.length === 0 || notifySecret !== undefined) return plain;
  return [...plain, 'NOTIFY_SECRET: is needed to sign what is sent to the URLs in NOTIFY'];
}

function cdnFaults({ cdn, cdnPurgeToken, cdnHttpToken }: Values): string[] {
  const kinds = cdn.map(({ kind }) => kind);
  const withToken = TOKEN_KINDS.filter((kind) => kinds.includes(kind));
  const [first] = withToken;
  return [
    ...(withToken.length > 1
      ? [`CDN: has ${withToken.join(' and ')}, and CDN_PURGE_TOKEN is for one of them`]
      : []),
    ...(first && cdnPurgeToken === undefined ? [`CDN_PURGE_TOKEN: is needed for CDN=${first}:…`] : []),
    ...(!first && cdnPurgeToken !== undefined
      ? ['CDN_PURGE_TOKEN: nothing needs it: it is for cloudflare:, fastly: and bunny: in CDN']
      : []),
    ...(cdnHttpToken !== undefined && !kinds.includes('http')
      ? ['CDN_HTTP_TOKEN: nothing needs it: it is for URLs in CDN']
      : []),
  ];
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function toConfig(values: Values): Config {
  const { widths, defaultWidth, prewarmFor, prewarmWidths, prewarmFormats, prewarmTiers, ...rest } = values;
  const wanted = wantedFor(
    prewarmFor,
    { widths: prewarmWidths, formats: prewarmFormats },
    {
      widths: [prewarmFor.length > 0 ? defaultWidth : DEFAULT_PREWARM_WIDTH],
      tiers: prewarmTiers,
      formats: DEFAULT_PREWARM_FORMATS,
    },
  );
  return Object.freeze({
    ...rest,
    ladder: Object.freeze({ widths, defaultWidth }),
    prewarm: Object.freeze({ ...wanted, widths: rungsFor(wanted.widths, widths) }),
  });
}
