import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export const DISTRIBUTION = 'E2EXAMPLE';
export const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };

/** CloudFront's limit on the paths in progress. */
const MAX_PATHS = 3000;
const XMLNS = 'xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"';
/** A whole SigV4 header, in the one region that CloudFront signs for. */
const SIGNED =
  /^AWS4-HMAC-SHA256 Credential=[A-Za-z0-9]+\/\d{8}\/us-east-1\/cloudfront\/aws4_request, SignedHeaders=[a-z0-9;-]*\bhost\b[a-z0-9;-]*, Signature=[0-9a-f]{64}$/;

export interface Call {
  operation: 'create' | 'get';
  /** Of a create. */
  callerReference: string;
  paths: readonly string[];
  /** Of a get. */
  id: string;
}

/** An error to answer with, or to do what the call says and then close the connection without an answer. */
export type Fault = { status: number; code: string; message?: string } | 'lose the answer';

export interface CloudFrontStub {
  endpoint: string;
  /** All calls so far, in order. */
  calls: Call[];
  creates(): Call[];
  gets(): Call[];
  /** The paths of each invalidation that was created. */
  invalidations(): (readonly string[])[];
  /** The highest number of paths that were in progress at the same time. */
  maxPathsInProgress(): number;
}

export interface CloudFrontStubOptions {
  /** How many polls find an invalidation still in progress. Default 0: the first finds it complete; -1: it is created complete. */
  pollsInProgress?: number;
  /** The words for the two states. Default: CloudFront's. */
  words?: { inProgress?: string; completed?: string };
  /** Paths that other processes have in progress. */
  otherPaths?: number;
  /** Called with the paths of each invalidation that is created. */
  onInvalidation?: (paths: readonly string[]) => void;
  /** Returns what goes wrong with a call; `nth` counts from 1, for each operation. */
  fault?: (call: Call, nth: number) => Fault | undefined;
}

interface StubInvalidation {
  id: string;
  callerReference: string;
  paths: readonly string[];
  /** Complete when negative. */
  pollsLeft: number;
}

/**
 * A stub of two calls of CloudFront's API on 127.0.0.1, as strict as CloudFront itself: it refuses a request that is unsigned or
 * does not match the API's reference, and one that would exceed 3,000 paths in progress. It is stopped when the test ends.
 */
export async function startCloudFront(options: CloudFrontStubOptions = {}): Promise<CloudFrontStub> {
  const { pollsInProgress = 0, otherPaths = 0, onInvalidation = () => {}, fault = () => undefined } = options;
  const { inProgress = 'InProgress', completed = 'Completed' } = options.words ?? {};
  const xmlOf = (one: StubInvalidation) => invalidationXml(one, one.pollsLeft < 0 ? completed : inProgress);
  const calls: Call[] = [];
  const invalidations: StubInvalidation[] = [];
  let maxInProgress = 0;
  const callsOf = (operation: Call['operation']) => calls.filter((call) => call.operation === operation);
  const pathsInProgress = () =>
    invalidations.filter(({ pollsLeft }) => pollsLeft >= 0).reduce((sum, { paths }) => sum + paths.length, 0);

  function create({ callerReference, paths }: Call): Answer {
    const known = invalidations.find((invalidation) => invalidation.callerReference === callerReference);
    if (known && String(known.paths) !== String(paths)) return refusal(409, 'InvalidationBatchAlreadyExists');
    if (known) return { status: 201, body: xmlOf(known) };
    if (pathsInProgress() + otherPaths + paths.length > MAX_PATHS) {
      // The caller retries later, when the others have made progress.
      for (const invalidation of invalidations) invalidation.pollsLeft--;
      return refusal(400, 'TooManyInvalidationsInProgress');
    }
    const id = `I${invalidations.length + 1}`;
    const invalidation = { id, callerReference, paths, pollsLeft: pollsInProgress };
    invalidations.push(invalidation);
    onInvalidation(paths);
    maxInProgress = Math.max(maxInProgress, pathsInProgress());
    return { status: 201, body: xmlOf(invalidation) };
  }

  function get({ id }: Call): Answer {
    const invalidation = invalidations.find((candidate) => candidate.id === id);
    if (!invalidation) return refusal(404, 'NoSuchInvalidation');
    invalidation.pollsLeft--;
    return { status: 200, body: xmlOf(invalidation) };
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = readCall(request, await text(request));
    if ('status' in call) return reply(response, call);
    calls.push(call);
    const error = fault(call, callsOf(call.operation).length);
    if (error && error !== 'lose the answer')
      return reply(response, refusal(error.status, error.code, error.message));
    const answer = call.operation === 'create' ? create(call) : get(call);
    if (error === 'lose the answer') response.destroy();
    else reply(response, answer);
  }

  const server = createServer((request, response) => void serve(request, response)).listen(0, '127.0.0.1');
  onTestFinished(() => server.close().closeAllConnections());
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    creates: () => callsOf('create'),
    gets: () => callsOf('get'),
    invalidations: () => invalidations.map(({ paths }) => paths),
    maxPathsInProgress: () => maxInProgress,
  };
}

interface Answer {
  status: number;
  body: string;
}

/** Returns the call, or the answer that refuses it. */
function readCall({ method, url, headers }: IncomingMessage, body: string): Call | Answer {
  if (!SIGNED.test(headers.authorization ?? '') || !/^\d{8}T\d{6}Z$/.test(String(headers['x-amz-date'])))
    return refusal(403, 'IncompleteSignature', headers.authorization ?? 'unsigned');
  const [, distribution, id] =
    /^\/2020-05-31\/distribution\/([^/?]+)\/invalidation(?:\/([^/?]+))?$/.exec(url ?? '') ?? [];
  if (distribution === undefined) return refusal(404, 'UnknownOperation', `${method} ${url}`);
  if (distribution !== DISTRIBUTION) return refusal(404, 'NoSuchDistribution');
  if (method === 'GET' && id !== undefined) return { operation: 'get', id, callerReference: '', paths: [] };
  if (method !== 'POST' || id !== undefined) return refusal(404, 'UnknownOperation', `${method} ${url}`);
  return readBatch(body);
}

function readBatch(body: string): Call | Answer {
  const batch =
    new RegExp(`<InvalidationBatch ${XMLNS}>(.*)</InvalidationBatch>$`, 's').exec(body)?.[1] ?? '';
  const callerReference = /<CallerReference>([^<]+)<\/CallerReference>/.exec(batch)?.[1];
  const quantity = /<Paths>.*<Quantity>(\d+)<\/Quantity>.*<\/Paths>/s.exec(batch)?.[1];
  const items = /<Paths>.*<Items>(.*)<\/Items>.*<\/Paths>/s.exec(batch)?.[1] ?? '';
  const paths = [...items.matchAll(/<Path>([^<]*)<\/Path>/g)].map(([, path = '']) => path);
  if (callerReference === undefined || quantity === undefined) return refusal(400, 'MalformedXML', body);
  if (Number(quantity) !== paths.length) return refusal(400, 'InconsistentQuantities');
  if (paths.length > MAX_PATHS) return refusal(413, 'BatchTooLarge');
  const valid = paths.length > 0 && paths.every((path) => /^#[!-~]{1,256}$/.test(path));
  if (!valid || new Set(paths).size < paths.length) return refusal(400, 'InvalidArgument', items);
  return { operation: 'create', callerReference, paths, id: '' };
}

function invalidationXml({ id, callerReference, paths }: StubInvalidation, status: string): string {
  const items = paths.map((path) => `<Path>${path}</Path>`).join('');
  return `<?xml version="1.0"?>
<Invalidation ${XMLNS}><Id>${id}</Id><Status>${status}</Status><CreateTime>2026-11-05T12:00:00.000Z</CreateTime><InvalidationBatch><Paths><Quantity>${paths.length}</Quantity><Items>${items}</Items></Paths><CallerReference>${callerReference}</CallerReference></InvalidationBatch></Invalidation>`;
}

function refusal(status: number, code: string, message = `refused with ${code}`): Answer {
  return {
    status,
    body: `<?xml version="1.0"?>
<ErrorResponse ${XMLNS}><Error><Type>Sender</Type><Code>${code}</Code><Message>${message.replace(/[<&]/g, ' ')}</Message></Error><RequestId>4f9ae3bd-2b8d-4b25-8f3c-0e6cfb2f2f11</RequestId></ErrorResponse>`,
  };
}

function reply(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
}
