import type { IncomingHttpHeaders } from 'node:http';
import { ACCOUNT } from '../aws/account-services.ts';
import { REGION } from '../aws/aws.ts';

/** An action on a resource, which IAM allows or not. */
export interface IamCall {
  action: string;
  /** An ARN. */
  resource: string;
}

/** A request to AWS, and the status of its answer. */
export interface AnsweredRequest {
  /** The name that it is signed with. */
  service: string;
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
  status: number;
}

/**
 * Returns what IAM has to allow for a request: "Actions, resources, and condition keys" of each service in the Service Authorization Reference.
 *
 * @throws Error for a request that is not known here
 */
export function iamCallsOf(request: AnsweredRequest): IamCall[] {
  const calls = SERVICES[request.service]?.(request) ?? [];
  if (calls.length > 0) return calls;
  throw new Error(`what does IAM call this? ${request.service} ${request.method} ${request.url}`);
}

const SERVICES: Readonly<Record<string, (request: AnsweredRequest) => IamCall[]>> = {
  s3: s3Calls,
  sqs: ({ headers, body }) => {
    const queue = String(JSON.parse(body).QueueUrl).split('/').at(-1) ?? '';
    return [call('sqs', operationIn(headers).replace(/Batch$/, ''), arn('sqs', queue))];
  },
  secretsmanager: ({ headers, body }) => [
    call('secretsmanager', operationIn(headers), JSON.parse(body).SecretId),
  ],
  sns: ({ body }) => {
    const form = new URLSearchParams(body);
    return [call('sns', form.get('Action') ?? '', form.get('TopicArn') ?? '')];
  },
  events: ({ headers, body }) =>
    (JSON.parse(body).Entries as { EventBusName: string }[]).map(({ EventBusName: bus }) =>
      call('events', operationIn(headers), bus.startsWith('arn:') ? bus : arn('events', `event-bus/${bus}`)),
    ),
  cloudformation: ({ body }) => {
    const form = new URLSearchParams(body);
    const stack = arn('cloudformation', `stack/${form.get('StackName')}/0a1b2c3d`);
    return [call('cloudformation', form.get('Action') ?? '', stack)];
  },
  cloudfront: ({ method, url }) => {
    const [, id] = /^\/2020-05-31\/distribution\/([^/]+)\/invalidation(\/|$)/.exec(url) ?? [];
    const operation = { POST: 'CreateInvalidation', GET: 'GetInvalidation' }[method];
    if (id === undefined || operation === undefined) return [];
    return [call('cloudfront', operation, `arn:aws:cloudfront::${ACCOUNT}:distribution/${id}`)];
  },
  'cloudfront-keyvaluestore': ({ method, url }) => {
    const [, store = '', key] = /^\/key-value-stores\/([^/]+)(\/keys\/[^/]+)?$/.exec(url) ?? [];
    const operation = { GET: key ? 'GetKey' : 'DescribeKeyValueStore', PUT: 'PutKey' }[method];
    return operation === undefined
      ? []
      : [call('cloudfront-keyvaluestore', operation, decodeURIComponent(store))];
  },
};

function s3Calls({ method, url, headers, body, status }: AnsweredRequest): IamCall[] {
  const { pathname, searchParams: query } = new URL(url, 'http://s3');
  const [bucket = '', ...segments] = pathname.slice(1).split('/');
  const bucketArn = `arn:aws:s3:::${bucket}`;
  const onBucket = [call('s3', 'ListBucket', bucketArn)];
  const on = (action: string, key = decodeURIComponent(segments.join('/'))) =>
    call('s3', action, `${bucketArn}/${key}`);
  // A put or delete on a condition tells about the object that is there.
  const reads = headers['if-match'] === undefined ? [] : [on('GetObject')];
  if (method === 'POST' && query.has('delete'))
    return [...body.matchAll(/<Key>([^<]+)<\/Key>(<ETag>)?/g)].flatMap(([, key = '', etag]) => [
      on('DeleteObject', key),
      ...(etag === undefined ? [] : [on('GetObject', key)]),
    ]);
  if (segments.join('') === '') return method === 'HEAD' || query.has('list-type') ? onBucket : [];
  if ([...query.keys()].some((name) => !/^(x-[a-z0-9-]+|versionId)$/i.test(name))) return [];
  switch (method) {
    case 'GET':
    case 'HEAD':
      // Without the permission to list, a missing object is answered with 403.
      return [on('GetObject'), ...(status === 404 ? onBucket : [])];
    case 'PUT':
      return headers['x-amz-copy-source'] === undefined ? [on('PutObject'), ...reads] : [];
    case 'DELETE':
      return [on('DeleteObject'), ...reads];
    default:
      return [];
  }
}

/** The operation, in the protocols that name it in a header. */
function operationIn(headers: IncomingHttpHeaders): string {
  return String(headers['x-amz-target']).split('.').at(-1) ?? '';
}

function call(service: string, operation: string, resource: string): IamCall {
  return { action: `${service}:${operation}`, resource };
}

function arn(service: string, resource: string): string {
  return `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;
}
