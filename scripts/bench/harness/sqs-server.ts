// Started as a process of its own, so that the sender does not share one with the receiver: an SQS on this machine. `/calls`
// returns how often each action was called.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRequestHandler } from 'local-aws-sqs';

const HOST = '127.0.0.1';
const calls: Record<string, number> = {};
const { requestHandler } = createRequestHandler({ port: 0, hostname: HOST });
const server = createServer(async (request, response) => {
  if (request.url === '/calls') {
    response.end(JSON.stringify(calls));
    return;
  }
  const action = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
  calls[action] = (calls[action] ?? 0) + 1;
  await requestHandler(request, response);
});
server.listen(0, HOST, () => {
  process.stdout.write(`{"url":"http://${HOST}:${(server.address() as AddressInfo).port}"}\n`);
});
process.once('SIGTERM', () => process.exit(0));
