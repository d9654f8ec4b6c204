import cloudfront from 'cloudfront';
// biome-ignore lint/style/useNodejsImportProtocol: the runtime of CloudFront Functions knows only this name.
import crypto from 'crypto';
import { type Fault, loopFault, notFoundFault } from '../protocol/fault.ts';
import type { Ladder } from '../protocol/negotiation.ts';
import { COMMON_HEADERS, PREFLIGHT_HEADERS, refusalResponse } from '../protocol/problem.ts';
import { IMAGE_PATH_PREFIX, parseRequest } from '../protocol/request.ts';
import { type RequestRules, resolveRequest } from '../protocol/resolve-request.ts';
import { EDGE_KEYS_ITEM, readSigningKeys } from '../protocol/signature.ts';
import { type IgnoredParameters, sourceIdentity } from '../protocol/source-identity.ts';

/*
 * The CloudFront Function that runs on each viewer request, before CloudFront checks its cache. Its runtime takes ES 5.1 with
 * `const`, arrow functions, template literals and `async`: no destructuring, spread, `for…of` or classes, here and in everything
 * that is imported. The built function must stay below CloudFront's 10,240 bytes.
 */

/** Appended by `infra/bundle/build-edge-function.ts`. */
declare const LADDER: Ladder;
declare const IGNORED_PARAMETERS: readonly IgnoredParameters[];
/** Replaced when the code is built, so that the function has the code for it only if it is needed. */
declare const HAS_IGNORED_PARAMETERS: boolean;

/**
 * Answers requests that are malformed, unsigned or expired, and CORS preflights. CloudFront itself refuses any method but GET, HEAD and
 * OPTIONS. Rewrites the others to the key of their variant, which the store can
 * answer, with the original target in the parameter `r` for the function that has to make the variant on a miss.
 */
export async function handler(event: { request: EdgeRequest }): Promise<EdgeRequest | EdgeResponse> {
  const request = event.request;
  if (request.method === 'OPTIONS') return respond(204, 'No Content', PREFLIGHT_HEADERS);
  const fault = await rewriteToKey(request);
  return fault === undefined ? request : refuse(request.method, fault);
}

async function rewriteToKey(request: EdgeRequest): Promise<Fault | undefined> {
  if (request.uri.slice(0, IMAGE_PATH_PREFIX.length) !== IMAGE_PATH_PREFIX) return notFoundFault();
  const loop = loopFault(header(request, 'cdn-loop'));
  if (loop !== undefined) return loop;
  const query = request.rawQueryString();
  const target = query === undefined ? request.uri : `${request.uri}?${query}`;
  const parsed = parseRequest(target);
  if (!parsed.ok) return parsed.fault;
  const keys = await readKeys();
  const signingKeys = readSigningKeys(keys);
  // Without keys, `verifySignature` accepts unsigned requests.
  if (signingKeys.length === 0) return noKeysFault();
  const rules: RequestRules = { signingKeys, ladder: LADDER, hmac, sha256 };
  const hints = { accept: header(request, 'accept'), saveData: header(request, 'save-data') };
  const resolved = resolveRequest(parsed.value, hints, rules, Math.floor(Date.now() / 1000));
  if (!resolved.ok) return resolved.fault;
  request.uri = `/${resolved.value.address.key}`;
  // In base64url, because signatures of origin access control break on characters that are common in URLs.
  request.querystring = { r: { value: Buffer.from(target).toString('base64url') } };
  return undefined;
}

/** Returns `''` when the store of keys cannot be read, or has none. */
async function readKeys(): Promise<string> {
  try {
    return await cloudfront.kvs().get(EDGE_KEYS_ITEM);
  } catch (_unreadable) {
    return '';
  }
}

function noKeysFault(): Fault {
  return { code: 'bad_signature', detail: 'No signing keys are configured, so no image is served' };
}

/** Returns a header's values, comma-separated. */
function header(request: EdgeRequest, name: string): string | undefined {
  const field = request.headers[name];
  if (field === undefined) return undefined;
  return field.multiValue === undefined ? field.value : field.multiValue.map((one) => one.value).join(', ');
}

function hmac(keyHex: string, text: string): string {
  return crypto.createHmac('sha256', Buffer.from(keyHex, 'hex')).update(text).digest('base64url');
}

function sha256(text: string): string {
  const hashed = HAS_IGNORED_PARAMETERS ? sourceIdentity(text, IGNORED_PARAMETERS) : text;
  return crypto.createHash('sha256').update(hashed).digest('hex');
}

function refuse(method: string, fault: Fault): EdgeResponse {
  const problem = refusalResponse(fault);
  const response = respond(problem.status, problem.title, problem.headers);
  if (method !== 'HEAD') response.body = { encoding: 'text', data: problem.body };
  return response;
}

function respond(
  statusCode: number,
  statusDescription: string,
  fields: Readonly<Record<string, string>>,
): EdgeResponse {
  const headers: EdgeResponse['headers'] = {};
  const all = Object.assign({}, COMMON_HEADERS, fields) as Record<string, string>;
  Object.keys(all).forEach((name) => {
    headers[name.toLowerCase()] = { value: String(all[name]) };
  });
  return { statusCode, statusDescription, headers };
}

// The parts of CloudFront's viewer-request event that are used here.

export interface HeaderField {
  value: string;
  /** All values, for a header that was sent more than once. */
  multiValue?: readonly { value: string }[];
}

export interface EdgeRequest {
  method: string;
  /** The path as it was sent. */
  uri: string;
  /** Returns the query as it was sent, without its question mark; `undefined` without a query. */
  rawQueryString(): string | undefined;
  querystring: Record<string, { value: string }>;
  /** By lower-case name. */
  headers: Record<string, HeaderField | undefined>;
}

export interface EdgeResponse {
  statusCode: number;
  statusDescription: string;
  headers: Record<string, { value: string }>;
  body?: { encoding: 'text'; data: string };
}
