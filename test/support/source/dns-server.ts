import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** What a name has: IPv4 or IPv6 addresses; a name that is not listed does not exist. `silent`: queries of this family get no answer. */
export type DnsNames = Readonly<Record<string, { 4?: string | 'silent'; 6?: string | 'silent' }>>;

const HEADER_BYTES = 12;
const TYPE_A = 1;
const NO_SUCH_NAME = 3;

/** Starts a DNS server (RFC 1035, section 4) on loopback, which is closed after the test. Returns its address, and the names that it was asked for. */
export async function serveDns(names: DnsNames): Promise<{ address: string; queries: string[] }> {
  const socket = createSocket('udp4');
  const queries: string[] = [];
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = readQuestion(query);
    queries.push(name);
    const answer = names[name]?.[type === TYPE_A ? 4 : 6];
    if (answer !== 'silent')
      socket.send(respond(query.subarray(0, end), answer, name in names, type), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return { address: `127.0.0.1:${socket.address().port}`, queries };
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

function respond(question: Buffer, address: string | undefined, exists: boolean, type: number): Buffer {
  const response = Buffer.from(question);
  response.writeUInt16BE(0x8180 + (exists ? 0 : NO_SUCH_NAME), 2);
  response.writeUInt16BE(address === undefined ? 0 : 1, 6);
  // No additional records, which the query may have had.
  response.writeUInt32BE(0, 8);
  if (address === undefined) return response;
  const data = type === TYPE_A ? Buffer.from(address.split('.').map(Number)) : Buffer.alloc(16, 0x20);
  const record = Buffer.alloc(12);
  // A pointer to the name of the question.
  record.writeUInt16BE(0xc000 + HEADER_BYTES, 0);
  record.writeUInt16BE(type, 2);
  record.writeUInt16BE(1, 4);
  record.writeUInt32BE(0, 6);
  record.writeUInt16BE(data.length, 10);
  return Buffer.concat([response, record, data]);
}
