// Started as a process of its own: a server that does what FAULT says, to see that fuzzing finds it.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const PROBLEM = { type: 'about:blank', title: 'Internal Server Error', status: 500, detail: 'a bug' };
const fault = process.env['FAULT'];
const server = createServer((request, response) => {
  const isFuzzed = request.url !== '/healthz' && !request.url?.startsWith('/u/steady');
  if (!isFuzzed) return void response.end('well');
  if (fault === 'exit') process.exit(3);
  if (fault === 'half an image') {
    return void response
      .writeHead(200, { 'content-type': 'image/png', 'x-content-type-options': 'nosniff' })
      .end('\x89PNG');
  }
  const body =
    fault === 'internal' ? JSON.stringify({ ...PROBLEM, code: 'internal', retryable: false }) : 'oops';
  const type = fault === 'internal' ? 'application/problem+json' : 'text/plain';
  response.writeHead(fault === 'internal' ? 500 : 400, { 'content-type': type }).end(body);
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`{"url":"http://127.0.0.1:${(server.address() as AddressInfo).port}"}\n`);
});
process.once('SIGTERM', () => process.exit(0));
