// Started as a process of its own: ipx, an image service in Node, as its documentation sets it up. It stores nothing.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createIPX, createIPXNodeServer, ipxHttpStorage } from 'ipx';

const ipx = createIPX({ storage: ipxHttpStorage({ domains: [process.env['ORIGIN'] ?? ''] }) });
const server = createServer(createIPXNodeServer(ipx));
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`{"url":"http://127.0.0.1:${(server.address() as AddressInfo).port}"}\n`);
});
process.once('SIGTERM', () => process.exit(0));
