import cloudfront from 'cloudfront';
// biome-ignore lint/style/useNodejsImportProtocol: the runtime of CloudFront Functions knows only this name.
import crypto from 'crypto';
import { type Fault, loopFault, methodNotAllowedFault, notFoundFault } from '../protocol/fault.ts';
import type { Ladder } from '../protocol/negotiation.ts';
import { COMMON_HEADERS, problemResponse } from '../protocol/problem.ts';
import { parseRequest } from '../protocol/request.ts';
import { type RequestRules, resolveRequest } from '../protocol/resolve-request.ts';
import { EDGE_KEYS_ITEM, readSigningKeys } from '../protocol/signature.ts';

/*
 * What CloudFront does with a viewer's request before it looks into its cache. Its runtime takes ES 5.1 with `const`, arrow
 * functions, template literals and `async`: no destructuring, spread, `for…of` or classes, here and in all that is imported.
 */

/** Written behind this code when it is built. */
declare const LADDER: Ladder;

const METHODS = 'GET, HEAD';

/**
 * Answers what is malformed, unsigned or expired; of the rest it makes a request for the key of a variant, which the store can
 * answer as it stands, with the target as it was sent in `r`, for whoever has to make the variant.
 */
export async function handler(event: { request: EdgeRequest }): Promise<EdgeRequest | EdgeResponse> {
  const request = event.request;
  const fault = await forward(request);
  return fault === undefined ? request : refuse(request.method, fault);
}

async function forward(request: EdgeRequest): Promise<Fault | undefined> {
  if (request.uri.slice(0, 3) !== '/u/') return notFoundFault();
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return methodNotAllowedFault(request.method, METHODS);
  const loop = loopFault(header(request, 'cdn-loop'));
  if (loop !== undefined) return loop;
  const query = request.rawQueryString();
  const target = query === undefined ? request.uri : `${request.uri}?${query}`;
  const parsed = parseRequest(target);
  if (!parsed.ok) return parsed.fault;
  const keys = await readKeys();
  const signingKeys = readSigningKeys(keys);
  // Without keys everything would count as unsigned, and pass.
  if (signingKeys.length === 0) return noKeys();
  const rules: RequestRules = { signingKeys, ladder: LADDER, hmac, sha256 };
  const hints = { accept: header(request, 'accept'), saveData: header(request, 'save-data') };
  const resolved = resolveRequest(parsed.value, hints, rules, Math.floor(Date.now() / 1000));
  if (!resolved.ok) return resolved.fault;
  request.uri = `/${resolved.value.address.key}`;
  // In the alphabet of base64url, since signatures of origin access control break on characters that are common in URLs.
  request.querystring = { r: { value: Buffer.from(target).toString('base64url') } };
  return undefined;
}

async function readKeys(): Promise<string> {
  try {
    return await cloudfront.kvs().get(EDGE_KEYS_ITEM);
  } catch (_unreadable) {
    return '';
  }
}

function noKeys(): Fault {
  return {
    code: 'bad_signature',
    detail: 'There are no keys to check the URL with, so that nothing is served',
  };
}

function header(request: EdgeRequest, name: string): string | undefined {
  const field = request.headers[name];
  if (field === undefined) return undefined;
  return field.multiValue === undefined ? field.value : field.multiValue.map((one) => one.value).join(', ');
}

function hmac(keyHex: string, text: string): string {
  return crypto.createHmac('sha256', Buffer.from(keyHex, 'hex')).update(text).digest('base64url');
}

function sha256(text: string): string {
  return crypto.createHash('sha256').update(text).digest('hex');
}

function refuse(method: string, fault: Fault): EdgeResponse {
  const problem = problemResponse(fault);
  const headers: EdgeResponse['headers'] = {};
  const add = (fields: Readonly<Record<string, string>>) => {
    Object.keys(fields).forEach((name) => {
      headers[name.toLowerCase()] = { value: String(fields[name]) };
    });
  };
  add(COMMON_HEADERS);
  add(problem.headers);
  if (fault.code === 'method_not_allowed') add({ Allow: METHODS });
  const response: EdgeResponse = {
    statusCode: problem.status,
    statusDescription: problem.title,
    headers,
  };
  if (method !== 'HEAD') response.body = { encoding: 'text', data: problem.body };
  return response;
}

// The event of a viewer request, as CloudFront Functions get it: only what is used.

export interface HeaderField {
  value: string;
  /** All of them, where a header was sent more than once. */
  multiValue?: readonly { value: string }[];
}

export interface EdgeRequest {
  method: string;
  /** The path as it was sent. */
  uri: string;
  /** The query as it was sent, without its question mark; `undefined` when there is none. */
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
