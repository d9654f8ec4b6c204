import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Lambda } from './lambda.ts';

/** The answer of a function behind a function URL. */
export interface FunctionUrlResult {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
  isBase64Encoded: boolean;
}

/** Returns the event that a function URL makes of a request (payload format 2.0). */
export function functionUrlEvent(
  method: string,
  target: string,
  headers: IncomingHttpHeaders = {},
): Record<string, unknown> {
  const queryStart = target.indexOf('?');
  const rawPath = queryStart < 0 ? target : target.slice(0, queryStart);
  const rawQueryString = queryStart < 0 ? '' : target.slice(queryStart + 1);
  const domainName = 'abcdefghij.lambda-url.us-east-1.on.aws';
  const joinedHeaders = Object.entries(headers).map(([name, value]) => [name, [value].flat().join(',')]);
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    headers: { host: domainName, 'x-forwarded-proto': 'https', ...Object.fromEntries(joinedHeaders) },
    requestContext: {
      accountId: '123456789012',
      apiId: 'abcdefghij',
      authorizer: { iam: { userArn: 'arn:aws:sts::123456789012:assumed-role/cloudfront' } },
      domainName,
      domainPrefix: 'abcdefghij',
      http: {
        method,
        path: rawPath,
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: 'Amazon CloudFront',
      },
      requestId: 'e1506fd5-9e7b-434f-bd42-4f8fa224b599',
      routeKey: '$default',
      stage: '$default',
      time: '25/Nov/2026:12:00:00 +0000',
      timeEpoch: 1795608000000,
    },
    isBase64Encoded: false,
  };
}

/** Serves a function over HTTP on 127.0.0.1, as a function URL does. `requests` lists the request targets so far. */
export async function startFunctionUrl(lambda: Lambda) {
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    requests.push(request.url ?? '');
    const event = functionUrlEvent(request.method ?? '', request.url ?? '', request.headers);
    try {
      const result = await lambda.invoke<FunctionUrlResult>(event);
      response.writeHead(result.statusCode, result.headers);
      response.end(Buffer.from(result.body ?? '', result.isBase64Encoded ? 'base64' : 'utf8'));
    } catch {
      response.writeHead(502).end('Internal Server Error');
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    requests,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
