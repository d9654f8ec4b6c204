import { badRequest, type Fault, type Result } from './fault.ts';
import { sourceSyntaxError } from './source-syntax.ts';

/** A target for perceived quality: the SSIMULACRA2 score that nine photographs in ten reach, 60, 70 or 80. */
export type Tier = (typeof TIERS)[number];
/** What a client can display: this format and all after it in `FORMATS`. */
export type Format = (typeof FORMATS)[number];

export const TIERS = ['saver', 'balanced', 'high'] as const;
export const FORMATS = ['avif', 'webp', 'jpeg'] as const;

/** A parsed image URL. What the URL does not name is absent. */
export interface ImageRequest {
  unit: string;
  /** The source, percent-decoded once and not normalised. */
  src: string;
  /** The requested width in pixels, which need not be a rung. */
  width?: number;
  tier?: Tier;
  format?: Format;
  /** Unix seconds. */
  expiresAt?: number;
  /** `{key id}.{HMAC}`, not yet verified. */
  signature?: string;
  /** The part of the target that is signed: everything before `&sig=`. */
  signedText: string;
}

const MAX_TARGET_BYTES = 6000;
/** The path of image URLs, before the unit. */
export const IMAGE_PATH_PREFIX = '/u/';
/** The characters of the id of a data unit. `.` and `..` are none all the same; see `isUnit`. */
export const UNIT_PATTERN = /^[A-Za-z0-9._~-]{1,128}$/;
const NOT_PRINTABLE_ASCII = /[^\x21-\x7e]/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for, and a loop takes most of the edge's time.
const CONTROL_CHARACTER = /[\x00-\x1f\x7f]/;
const POSITIVE_INTEGER = /^[1-9][0-9]*$/;
const NATURAL_NUMBER = /^(?:0|[1-9][0-9]*)$/;

/**
 * Parses an image URL from the raw request target: path and query exactly as they were sent. A `URL` object rewrites apostrophes and
 * dot segments, but the signature is over the bytes that the caller sent.
 *
 * @param target - for example `/u/unit-1?src=https%3A%2F%2F…&w=720`
 * @returns the request, or a `bad_request` that names the parameter (`unit` for the path)
 */
export function parseRequest(target: string): Result<ImageRequest> {
  if (target.length > MAX_TARGET_BYTES) return tooLong(target.length);
  const queryStart = target.indexOf('?');
  const path = queryStart < 0 ? target : target.slice(0, queryStart);
  const unit = path.slice(IMAGE_PATH_PREFIX.length);
  if (path.slice(0, IMAGE_PATH_PREFIX.length) !== IMAGE_PATH_PREFIX || !isUnit(unit)) return badUnit();
  const parameters = parseQuery(queryStart < 0 ? '' : target.slice(queryStart + 1));
  return parameters.ok ? toRequest(target, unit, parameters.value) : parameters;
}

function toRequest(target: string, unit: string, parameters: Parameters): Result<ImageRequest> {
  const src = parameters.src;
  if (src === undefined) return badRequest('src', 'is missing: it is the percent-encoded URL of the image');
  const format = parameters.f;
  const request: ImageRequest = { unit, src, signedText: target };
  if (parameters.w !== undefined) request.width = Number(parameters.w);
  if (parameters.q !== undefined) request.tier = parameters.q as Tier;
  if (format !== undefined && format !== 'auto') request.format = format as Format;
  if (parameters.exp !== undefined) request.expiresAt = Number(parameters.exp);
  if (parameters.sig !== undefined) {
    request.signature = parameters.sig;
    request.signedText = target.slice(0, target.lastIndexOf('&sig='));
  }
  return { ok: true, value: request };
}

/** What the id of a data unit must be: the end of a sentence in messages. */
export const UNIT_RULE = '1 to 128 characters of A-Z a-z 0-9 . _ ~ - (but not "." or "..")';

/** Whether a text is a valid id of a data unit: see `UNIT_RULE`. */
export function isUnit(text: string): boolean {
  return UNIT_PATTERN.test(text) && text !== '.' && text !== '..';
}

interface Parameters {
  src?: string;
  w?: string;
  q?: string;
  f?: string;
  exp?: string;
  sig?: string;
}

/** The values of `f`. */
export const FORMAT_VALUES = (FORMATS as readonly string[]).concat('auto');

function mustBeOneOf(names: readonly string[], value: string): string | undefined {
  if (names.indexOf(value) >= 0) return undefined;
  const last = names.length - 1;
  return `must be ${names.slice(0, last).join(', ')} or ${names[last]}`;
}

/** The year 5138 in Unix seconds, and 1973 in milliseconds. */
export const FIRST_MILLISECONDS = 100000000000;

/** For each parameter: returns what is wrong with a value, as the end of a sentence, or `undefined`. */
const VALIDATIONS: Record<keyof Parameters, (value: string) => string | undefined> = {
  src: sourceSyntaxError,
  w: (value) => (POSITIVE_INTEGER.test(value) ? undefined : 'must be a whole number of pixels, 1 or more'),
  q: (value) => mustBeOneOf(TIERS, value),
  f: (value) => mustBeOneOf(FORMAT_VALUES, value),
  exp: (value) => {
    if (!NATURAL_NUMBER.test(value)) return 'must be a time in whole Unix seconds';
    return Number(value) < FIRST_MILLISECONDS ? undefined : 'must be in seconds, and looks like milliseconds';
  },
  sig: (value) => (value === '' ? 'is empty' : undefined),
};
const NAMES = Object.keys(VALIDATIONS);

function parseQuery(query: string): Result<Parameters> {
  const parameters: Parameters = {};
  if (query === '') return { ok: true, value: parameters };
  const pieces = query.split('&');
  for (let i = 0; i < pieces.length; i++) {
    const fault = addParameter(String(pieces[i]), i === pieces.length - 1, parameters);
    if (fault !== undefined) return { ok: false, fault };
  }
  return { ok: true, value: parameters };
}

/** Adds one `name=value` to the parameters. */
function addParameter(piece: string, isLast: boolean, parameters: Parameters): Fault | undefined {
  const equals = piece.indexOf('=');
  const sentName = equals < 0 ? piece : piece.slice(0, equals);
  if (NAMES.indexOf(sentName) < 0) return unknownParameter(sentName, parameters.src !== undefined);
  const name = sentName as keyof Parameters;
  if (equals < 0) return badRequest(name, 'has no value').fault;
  if (parameters[name] !== undefined) return badRequest(name, 'is given more than once').fault;
  if (name === 'sig' && !isLast) return badRequest(name, 'must be the last parameter').fault;
  const value = decode(piece.slice(equals + 1));
  if (value === undefined) return badRequest(name, 'is not valid percent-encoded UTF-8').fault;
  if (CONTROL_CHARACTER.test(value))
    return badRequest(name, 'must not contain control characters or line breaks').fault;
  const error = VALIDATIONS[name](value);
  if (error !== undefined) return badRequest(name, error).fault;
  parameters[name] = value;
  return undefined;
}

function decode(encoded: string): string | undefined {
  if (NOT_PRINTABLE_ASCII.test(encoded)) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch (_malformed) {
    return undefined;
  }
}

function unknownParameter(name: string, isAfterSrc: boolean): Fault {
  const shown = name.length > 40 ? `${name.slice(0, 40)}…` : name;
  const hint = isAfterSrc ? '. If it is part of `src`: percent-encode `src`, & becomes %26' : '';
  return badRequest(
    shown,
    `is not a parameter of an image URL; the parameters are src, w, q, f, exp and sig${hint}`,
  ).fault;
}

function badUnit(): Result<never> {
  return badRequest('unit', `in the path /u/{unit} must be ${UNIT_RULE}`);
}

function tooLong(bytes: number): Result<never> {
  const detail = `The request target is ${bytes} bytes long; at most 6,000 are allowed`;
  return { ok: false, fault: { code: 'bad_request', detail } };
}
