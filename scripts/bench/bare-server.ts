import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

// The floor that hits are measured against: the same bytes and headers from memory, with nothing else done.
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
