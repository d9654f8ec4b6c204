import { text } from 'node:stream/consumers';
import { serve } from '../source/loopback.ts';
import { type AwsRequest, CREDENTIALS, signedFor } from './signatures.ts';

/** A request whose signature is valid. */
export interface AwsCall extends AwsRequest {
  service: string;
  region: string;
}

export interface AwsAnswer {
  status: number;
  headers?: Record<string, string>;
  body: string;
}

/** A stub of one AWS service: as strict as the service, with state of its own. */
export interface AwsService {
  /** The name with which requests to it are signed. */
  name: string;
  /** @returns the operation of a call, such as `GetSecretValue`, or the response that refuses the call */
  operationOf(call: AwsCall): string | AwsAnswer;
  answer(operation: string, call: AwsCall): AwsAnswer;
  refuse(status: number, code: string, message: string): AwsAnswer;
}

export interface AwsStub {
  /** The environment with which commands call this stub. */
  env: Record<string, string>;
  /** The operations that were called, in order. */
  operations: string[];
  /**
   * Decides which calls fail: it is called with each operation and how many times that was called, this call included. `refuse` and
   * `deny` change nothing; `lose` does what was called for, and closes the connection without a response.
   */
  fault: (operation: string, nth: number) => 'refuse' | 'deny' | 'lose' | undefined;
}

export const REGION = 'eu-north-1';

/** Starts AWS with these services on 127.0.0.1, until the test ends. It refuses unsigned requests. */
export async function startAws(...services: AwsService[]): Promise<AwsStub> {
  const stub: AwsStub = { env: {}, operations: [], fault: () => undefined };
  const { port } = await serve(async (incoming, response) => {
    const { method = '', url = '', headers } = incoming;
    const [path = '', query = ''] = url.split('?');
    const request = {
      method,
      path,
      query,
      headers: headers as Record<string, string>,
      body: await text(incoming),
    };
    const answer = answerTo(request, services, stub);
    if (!answer) response.destroy();
    else response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  stub.env = {
    ...CREDENTIALS,
    AWS_REGION: REGION,
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    AWS_ENDPOINT_URL_CLOUDFRONT_KEYVALUESTORE: `http://localhost:${port}`,
    AWS_EC2_METADATA_DISABLED: 'true',
    NODE_OPTIONS: '--import ./test/support/aws/localhost-names.mjs',
  };
  return stub;
}

function answerTo(
  request: AwsRequest,
  services: readonly AwsService[],
  stub: AwsStub,
): AwsAnswer | undefined {
  const signed = signedFor(request);
  const service = services.find(({ name }) => name === signed?.service);
  if (!signed || !service)
    return { status: 403, body: `not signed for any service here: ${signed?.service}` };
  const call = { ...request, ...signed };
  const operation = service.operationOf(call);
  if (typeof operation !== 'string') return operation;
  stub.operations.push(operation);
  const nth = stub.operations.filter((one) => one === operation).length;
  const fault = stub.fault(operation, nth);
  if (fault === 'refuse') return service.refuse(400, 'SomethingElse', 'not today');
  if (fault === 'deny') return service.refuse(403, 'AccessDeniedException', 'you may not');
  const answer = service.answer(operation, call);
  return fault === 'lose' ? undefined : answer;
}

/** The error response of services with the protocol JSON 1.1. */
export function jsonRefusal(status: number, code: string, message: string): AwsAnswer {
  return json(status, { __type: code, message, Message: message });
}

export function json(status: number, value: unknown): AwsAnswer {
  return { status, headers: { 'content-type': 'application/x-amz-json-1.1' }, body: JSON.stringify(value) };
}

/** The operation of a call with the protocol JSON 1.1. */
export function targetOf({ method, path, headers }: AwsCall, prefix: string): string | AwsAnswer {
  const [, before, operation] = /^(.*)\.([A-Za-z]+)$/.exec(headers['x-amz-target'] ?? '') ?? [];
  const isValid =
    method === 'POST' && path === '/' && headers['content-type'] === 'application/x-amz-json-1.1';
  return isValid && before === prefix && operation !== undefined
    ? operation
    : jsonRefusal(400, 'UnknownOperationException', `${method} ${path} ${headers['x-amz-target']}`);
}

/** The error response of services with the query protocol. */
export function xmlRefusal(status: number, code: string, message: string): AwsAnswer {
  return {
    status,
    headers: { 'content-type': 'text/xml' },
    body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r</RequestId></ErrorResponse>`,
  };
}

export function xml(operation: string, result: string): AwsAnswer {
  return {
    status: 200,
    headers: { 'content-type': 'text/xml' },
    body: `<${operation}Response><${operation}Result>${result}</${operation}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></${operation}Response>`,
  };
}

/** The operation of a call with the query protocol. */
export function actionOf({ method, path, body }: AwsCall, version: string): string | AwsAnswer {
  const form = new URLSearchParams(body);
  const isValid = method === 'POST' && path === '/' && form.get('Version') === version;
  return (isValid && form.get('Action')) || xmlRefusal(400, 'InvalidAction', body);
}
