import { request as sendRequest } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { CREDENTIALS } from '../aws/signatures.ts';
import { serve } from '../source/loopback.ts';
import { type IamCall, iamCallsOf } from './iam-calls.ts';

/** Stands before the servers that are AWS in a test, and notes what IAM would have to allow of each request. */
export interface AwsRecorder {
  url: string;
  /** All calls so far. Of those on resources that differ only in numbers and hashes, one. @throws Error for a request of which that is not known */
  calls(): IamCall[];
  /** What makes the programs of this service call it. */
  env: Record<string, string>;
  /** Tells from now on that objects of S3 are older than they are, so that work begins that is due after days. */
  age(days: number): void;
}

const DAY_MS = 86_400_000;

/**
 * Starts a recorder on loopback, which is closed after the test. Whatever signs its requests for a service is sent on to the server of that service;
 * signatures stay valid, since the `Host` is passed on.
 *
 * @param servers - the URL of the server of each service, by the name that requests are signed with; `*`: of all others
 */
export async function startAwsRecorder(servers: Readonly<Record<string, string>>): Promise<AwsRecorder> {
  const noted = new Map<string, IamCall>();
  const unknown: unknown[] = [];
  let agedMs = 0;
  const { port } = await serve(async (incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    const body = await buffer(incoming);
    const service = serviceOf(url, headers.authorization);
    const server = servers[service ?? ''] ?? servers['*'];
    if (service === undefined || server === undefined)
      return void outgoing.writeHead(403).end(`a request that is signed for no service: ${method} ${url}`);
    const { hostname, port: serverPort } = new URL(server);
    const sent = service in servers ? headers : { ...headers, authorization: asStubsKnowIt(headers) };
    const upstream = sendRequest({ hostname, port: serverPort, method, path: url, headers: sent });
    upstream.on('error', () => outgoing.destroy());
    upstream.on('response', async (answer) => {
      const status = answer.statusCode ?? 502;
      const asked = { service, method, url, headers, body: body.toString(), status };
      try {
        for (const call of iamCallsOf(asked)) noted.set(`${call.action} ${shapeOf(call.resource)}`, call);
      } catch (error) {
        unknown.push(error);
      }
      const { headers: answered, text } = older(answer.headers, await buffer(answer), agedMs);
      outgoing.writeHead(status, answered).end(text);
    });
    upstream.end(body);
  });
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    calls() {
      for (const error of unknown) throw error;
      return [...noted.values()];
    },
    age: (days) => {
      agedMs = days * DAY_MS;
    },
    env: {
      S3_ENDPOINT: url,
      SQS_ENDPOINT: url,
      CLOUDFRONT_ENDPOINT: url,
      AWS_ENDPOINT_URL: url,
      AWS_ENDPOINT_URL_CLOUDFRONT_KEYVALUESTORE: `http://localhost:${port}`,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  };
}

function shapeOf(resource: string): string {
  const [name, ...path] = resource.split('/');
  return [name, path.join('/').replace(/[0-9a-f]{2,}|\d+/g, '#')].join('/');
}

/** The service that a request is signed for, in its header or in its URL. */
function serviceOf(url: string, authorization = ''): string | undefined {
  const inHeader = /\/([a-z0-9-]+)\/aws4_request\b/.exec(authorization);
  const inUrl = /[?&]X-Amz-Credential=[^&]*%2F([a-z0-9-]+)%2Faws4_request/.exec(url);
  return (inHeader ?? inUrl)?.[1];
}

/** A program has one set of credentials, which are those of the S3 server. */
function asStubsKnowIt({ authorization = '' }: { authorization?: string | undefined }): string {
  return authorization.replace(/Credential=[^/]+/, `Credential=${CREDENTIALS.AWS_ACCESS_KEY_ID}`);
}

function older(headers: NodeJS.Dict<string | string[]>, body: Buffer, byMs: number) {
  const modified = headers['last-modified'];
  if (byMs === 0) return { headers, text: body };
  const shift = (time: string) => new Date(Date.parse(time) - byMs);
  const listed = /^application\/xml/.test(String(headers['content-type']));
  const text = listed
    ? Buffer.from(body.toString().replace(/(?<=<LastModified>)[^<]+/g, (time) => shift(time).toISOString()))
    : body;
  return {
    headers: {
      ...headers,
      ...(listed && headers['content-length'] !== undefined && { 'content-length': String(text.length) }),
      ...(modified !== undefined && { 'last-modified': shift(String(modified)).toUTCString() }),
    },
    text,
  };
}
