// Started as a process of its own. The lower bound that hits are compared with: a node:http server that sends the same bytes and
// headers from memory, and does nothing else.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const body = readFileSync(process.env['BODY'] ?? '');
const headers = JSON.parse(process.env['HEADERS'] ?? '{}');
const server = createServer((_request, response) => {
  response.writeHead(200, headers);
  response.end(body);
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`{"url":"http://127.0.0.1:${(server.address() as AddressInfo).port}"}\n`);
});
process.once('SIGTERM', () => process.exit(0));
