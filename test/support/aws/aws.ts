import { text } from 'node:stream/consumers';
import { CREDENTIALS } from '../command.ts';
import { serve } from '../source/loopback.ts';
import { type AwsRequest, signedFor } from './signatures.ts';

/** What is asked of a service, once it is known to be signed for it. */
export interface AwsCall extends AwsRequest {
  service: string;
  region: string;
}

export interface AwsAnswer {
  status: number;
  headers?: Record<string, string>;
  body: string;
}

/** One service of AWS: as strict as itself, with a state of its own. */
export interface AwsService {
  /** As its requests are signed for. */
  name: string;
  /** @returns what a call asks for, such as `GetSecretValue`, or why it is refused */
  operationOf(call: AwsCall): string | AwsAnswer;
  answer(operation: string, call: AwsCall): AwsAnswer;
  refuse(status: number, code: string, message: string): AwsAnswer;
}

export interface AwsStub {
  /** With it, commands talk to this. */
  env: Record<string, string>;
  /** What was asked, in that order. */
  operations: string[];
  /**
   * Says what goes wrong: called with each operation and how often it has been asked for, itself included. `refuse` changes
   * nothing, `lose` does what is asked and hangs up.
   */
  fault: (operation: string, nth: number) => 'refuse' | 'deny' | 'lose' | undefined;
}

export const REGION = 'eu-north-1';

/** AWS on 127.0.0.1, as far as these services go. It refuses what is unsigned. Gone when the test ends. */
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
    NODE_OPTIONS: '--import ./test/support/setup/localhost-names.mjs',
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
  const wrong = stub.fault(operation, nth);
  if (wrong === 'refuse') return service.refuse(400, 'SomethingElse', 'not today');
  if (wrong === 'deny') return service.refuse(403, 'AccessDeniedException', 'you may not');
  const answer = service.answer(operation, call);
  return wrong === 'lose' ? undefined : answer;
}

/** What services with the protocol JSON 1.1 have in common. */
export function jsonRefusal(status: number, code: string, message: string): AwsAnswer {
  return json(status, { __type: code, message, Message: message });
}

export function json(status: number, value: unknown): AwsAnswer {
  return { status, headers: { 'content-type': 'application/x-amz-json-1.1' }, body: JSON.stringify(value) };
}

/** The operation that a call of JSON 1.1 names. */
export function targetOf({ method, path, headers }: AwsCall, prefix: string): string | AwsAnswer {
  const [, before, operation] = /^(.*)\.([A-Za-z]+)$/.exec(headers['x-amz-target'] ?? '') ?? [];
  const isRight =
    method === 'POST' && path === '/' && headers['content-type'] === 'application/x-amz-json-1.1';
  return isRight && before === prefix && operation !== undefined
    ? operation
    : jsonRefusal(400, 'UnknownOperationException', `${method} ${path} ${headers['x-amz-target']}`);
}

/** What services with the query protocol have in common. */
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

/** The operation that a call of the query protocol names. */
export function actionOf({ method, path, body }: AwsCall, version: string): string | AwsAnswer {
  const form = new URLSearchParams(body);
  const isRight = method === 'POST' && path === '/' && form.get('Version') === version;
  return (isRight && form.get('Action')) || xmlRefusal(400, 'InvalidAction', body);
}
