import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

export const DISTRIBUTION = 'E2EXAMPLE';
export const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };

/** What CloudFront works on at once. */
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

/** To answer with an error instead, or to do what is asked and hang up. */
export type Fault = { status: number; code: string; message?: string } | 'lose the answer';

export interface CloudFrontStub {
  endpoint: string;
  /** All that was asked, in that order. */
  calls: Call[];
  creates(): Call[];
  gets(): Call[];
  /** The paths of each invalidation that there is: never one that was refused. */
  invalidations(): (readonly string[])[];
  /** The most paths that were under way at once. */
  mostUnderWay(): number;
}

export interface CloudFrontStubOptions {
  /** How many looks find an invalidation still under way. Default 0: the first one finds it complete; -1: it is at once. */
  looksUnderWay?: number;
  /** Paths that other processes have under way. */
  others?: number;
  /** Is told of the paths of each invalidation that is made. */
  forget?: (paths: readonly string[]) => void;
  /** What goes wrong with a call; `nth` counts from 1, for each operation. */
  fault?: (call: Call, nth: number) => Fault | undefined;
}

interface Made {
  id: string;
  callerReference: string;
  paths: readonly string[];
  looksLeft: number;
}

/**
 * The two calls of CloudFront's API on 127.0.0.1, as strict as CloudFront itself: it refuses a request that is unsigned or not
 * what the API's reference says, and whatever would have it work on more than 3,000 paths. Gone when the test ends.
 */
export async function startCloudFront(options: CloudFrontStubOptions = {}): Promise<CloudFrontStub> {
  const { looksUnderWay = 0, others = 0, forget = () => {}, fault = () => undefined } = options;
  const calls: Call[] = [];
  const made: Made[] = [];
  let most = 0;
  const of = (operation: Call['operation']) => calls.filter((call) => call.operation === operation);
  const underWay = () =>
    made.filter(({ looksLeft }) => looksLeft >= 0).reduce((sum, { paths }) => sum + paths.length, 0);

  function create({ callerReference, paths }: Call): Answer {
    const before = made.find((invalidation) => invalidation.callerReference === callerReference);
    if (before && String(before.paths) !== String(paths))
      return refusal(409, 'InvalidationBatchAlreadyExists');
    if (before) return { status: 201, body: describe(before) };
    if (underWay() + others + paths.length > MAX_PATHS) {
      // Whoever is refused comes back later: by then the others have got on.
      for (const invalidation of made) invalidation.looksLeft--;
      return refusal(400, 'TooManyInvalidationsInProgress');
    }
    const invalidation = { id: `I${made.length + 1}`, callerReference, paths, looksLeft: looksUnderWay };
    made.push(invalidation);
    forget(paths);
    most = Math.max(most, underWay());
    return { status: 201, body: describe(invalidation) };
  }

  function get({ id }: Call): Answer {
    const invalidation = made.find((one) => one.id === id);
    if (!invalidation) return refusal(404, 'NoSuchInvalidation');
    invalidation.looksLeft--;
    return { status: 200, body: describe(invalidation) };
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const call = readCall(request, await text(request));
    if ('status' in call) return reply(response, call);
    calls.push(call);
    const wrong = fault(call, of(call.operation).length);
    if (wrong && wrong !== 'lose the answer')
      return reply(response, refusal(wrong.status, wrong.code, wrong.message));
    const answer = call.operation === 'create' ? create(call) : get(call);
    if (wrong === 'lose the answer') response.destroy();
    else reply(response, answer);
  }

  const server = createServer((request, response) => void serve(request, response)).listen(0, '127.0.0.1');
  onTestFinished(() => server.close().closeAllConnections());
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    creates: () => of('create'),
    gets: () => of('get'),
    invalidations: () => made.map(({ paths }) => paths),
    mostUnderWay: () => most,
  };
}

interface Answer {
  status: number;
  body: string;
}

/** What is asked, or what is wrong with that. */
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

function describe({ id, callerReference, paths, looksLeft }: Made): string {
  const items = paths.map((path) => `<Path>${path}</Path>`).join('');
  return `<?xml version="1.0"?>
<Invalidation ${XMLNS}><Id>${id}</Id><Status>${looksLeft < 0 ? 'Completed' : 'InProgress'}</Status><CreateTime>2026-11-05T12:00:00.000Z</CreateTime><InvalidationBatch><Paths><Quantity>${paths.length}</Quantity><Items>${items}</Items></Paths><CallerReference>${callerReference}</CallerReference></InvalidationBatch></Invalidation>`;
}

function refusal(status: number, code: string, message = `${code} it is.`): Answer {
  return {
    status,
    body: `<?xml version="1.0"?>
<ErrorResponse ${XMLNS}><Error><Type>Sender</Type><Code>${code}</Code><Message>${message.replace(/[<&]/g, ' ')}</Message></Error><RequestId>4f9ae3bd-2b8d-4b25-8f3c-0e6cfb2f2f11</RequestId></ErrorResponse>`,
  };
}

function reply(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'content-type': 'text/xml' }).end(body);
}
