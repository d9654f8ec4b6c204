import { badRequest, type Fault, type Result } from './fault.ts';
import { sourceSyntaxError } from './source-syntax.ts';

/** How hard to squeeze: the SSIMULACRA2 score that nine photographs in ten reach is 60, 70 or 80. */
export type Tier = 'saver' | 'balanced' | 'high';
/** What a client can display. */
export type Format = 'avif' | 'webp' | 'jpeg';

export const TIERS: readonly Tier[] = ['saver', 'balanced', 'high'];
export const FORMATS: readonly Format[] = ['avif', 'webp', 'jpeg'];

/** An image URL, parsed and nothing more: what was not said is absent. */
export interface ImageRequest {
  unit: string;
  /** The source, percent-decoded once and otherwise as it was sent. */
  src: string;
  /** The width asked for, in pixels, not yet on the ladder. */
  width?: number;
  tier?: Tier;
  format?: Format;
  /** Unix seconds. */
  expiresAt?: number;
  /** `{key id}.{HMAC}`, not yet looked at. */
  signature?: string;
  /** The part of the target that the signature is over: everything before `&sig=`. */
  signedText: string;
}

const MAX_TARGET_BYTES = 6000;
const PATH_PREFIX = '/u/';
const UNIT = /^[A-Za-z0-9._~-]{1,128}$/;
const NOT_PRINTABLE_ASCII = /[^\x21-\x7e]/;
const POSITIVE_INTEGER = /^[1-9][0-9]*$/;
const NATURAL_NUMBER = /^(?:0|[1-9][0-9]*)$/;

/**
 * Reads an image URL from the raw request target: path and query exactly as they were sent. A parsed `URL` will not
 * do: it rewrites apostrophes and dot segments, and signatures are over the bytes that the caller sent.
 *
 * @param target - such as `/u/unit-1?src=https%3A%2F%2F…&w=720`
 * @returns the request, or a `bad_request` that names the parameter (`unit` for the path)
 */
export function parseRequest(target: string): Result<ImageRequest> {
  if (target.length > MAX_TARGET_BYTES) return tooLong(target.length);
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const unit = path.slice(PATH_PREFIX.length);
  if (path.slice(0, PATH_PREFIX.length) !== PATH_PREFIX || !isUnit(unit)) return badUnit();
  const parameters = readParameters(mark < 0 ? '' : target.slice(mark + 1));
  return parameters.ok ? assemble(target, unit, parameters.value) : parameters;
}

function assemble(target: string, unit: string, parameters: Parameters): Result<ImageRequest> {
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

/** Whether a text can name a data unit. */
export function isUnit(text: string): boolean {
  return UNIT.test(text) && text !== '.' && text !== '..';
}

interface Parameters {
  src?: string;
  w?: string;
  q?: string;
  f?: string;
  exp?: string;
  sig?: string;
}

/** For each parameter, what is wrong with a value, as the end of a sentence, or `undefined`. */
const COMPLAINTS: Record<keyof Parameters, (value: string) => string | undefined> = {
  src: sourceSyntaxError,
  w: (value) => (POSITIVE_INTEGER.test(value) ? undefined : 'must be a whole number of pixels, 1 or more'),
  q: (value) => (TIERS.indexOf(value as Tier) < 0 ? 'must be saver, balanced or high' : undefined),
  f: (value) =>
    FORMATS.indexOf(value as Format) < 0 && value !== 'auto' ? 'must be avif, webp, jpeg or auto' : undefined,
  exp: (value) => (NATURAL_NUMBER.test(value) ? undefined : 'must be a time in whole Unix seconds'),
  sig: (value) => (value === '' ? 'is empty' : undefined),
};
const NAMES = Object.keys(COMPLAINTS);

function readParameters(query: string): Result<Parameters> {
  const parameters: Parameters = {};
  if (query === '') return { ok: true, value: parameters };
  const pieces = query.split('&');
  for (let i = 0; i < pieces.length; i++) {
    const fault = readParameter(String(pieces[i]), i === pieces.length - 1, parameters);
    if (fault !== undefined) return { ok: false, fault };
  }
  return { ok: true, value: parameters };
}

/** Reads one `name=value` into the parameters. */
function readParameter(piece: string, isLast: boolean, parameters: Parameters): Fault | undefined {
  const equals = piece.indexOf('=');
  const given = equals < 0 ? piece : piece.slice(0, equals);
  if (NAMES.indexOf(given) < 0) return unknownParameter(given);
  const name = given as keyof Parameters;
  if (equals < 0) return badRequest(name, 'has no value').fault;
  if (parameters[name] !== undefined) return badRequest(name, 'stands there more than once').fault;
  if (name === 'sig' && !isLast) return badRequest(name, 'must be the last parameter').fault;
  const value = decode(piece.slice(equals + 1));
  if (value === undefined) return badRequest(name, 'is not valid percent-encoded UTF-8').fault;
  if (hasControlCharacter(value))
    return badRequest(name, 'must not contain control characters or line breaks').fault;
  const complaint = COMPLAINTS[name](value);
  if (complaint !== undefined) return badRequest(name, complaint).fault;
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

function hasControlCharacter(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x20 || unit === 0x7f) return true;
  }
  return false;
}

function unknownParameter(name: string): Fault {
  const shown = name.length > 40 ? `${name.slice(0, 40)}…` : name;
  return badRequest(shown, 'is no parameter of an image URL; those are src, w, q, f, exp and sig').fault;
}

function badUnit(): Result<never> {
  return badRequest(
    'unit',
    'in the path /u/{unit} must be 1 to 128 of A-Z a-z 0-9 . _ ~ - and neither . nor ..',
  );
}

function tooLong(bytes: number): Result<never> {
  const detail = `The request target is ${bytes} bytes long; at most 6,000 are allowed`;
  return { ok: false, fault: { code: 'bad_request', detail } };
}
