// Started as a process of its own. The lower bound that hits are compared with: a node:http server that sends the same bytes and
// headers, from memory at `/memory` or from a file that is read for each request at `/file`, and does nothing else.
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const path = process.env['BODY'] ?? '';
const body = readFileSync(path);
const headers = JSON.parse(process.env['HEADERS'] ?? '{}');
const server = createServer(async (request, response) => {
  const bytes = request.url === '/file' ? await readFile(path) : body;
  response.writeHead(200, headers);
  response.end(bytes);
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`{"url":"http://127.0.0.1:${(server.address() as AddressInfo).port}"}\n`);
});
process.once('SIGTERM', () => process.exit(0));
