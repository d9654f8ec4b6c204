import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Opens a connection. */
export async function openConnection(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** A response as it was sent. */
export interface RawResponse {
  status: number;
  /** By lower-case name. */
  headers: Map<string, string>;
  body: string;
}

/** Sends exactly this text over a connection of its own. Returns all responses until the server closes it. */
export async function sendRaw(url: string, text: string): Promise<RawResponse[]> {
  const socket = await openConnection(url);
  socket.write(text, 'latin1');
  let received = '';
  for await (const chunk of socket) received += (chunk as Buffer).toString('latin1');
  return parseResponses(received);
}

/** Reads responses whose bodies have the length that their headers say; throws on anything else. */
export function parseResponses(text: string): RawResponse[] {
  const responses: RawResponse[] = [];
  let rest = text;
  while (rest !== '') {
    const [, status, fields = ''] = /^HTTP\/1\.1 (\d{3}) [^\r]*\r\n((?:[^\r]+\r\n)*)\r\n/.exec(rest) ?? [];
    if (status === undefined) throw new Error(`not a response: ${rest}`);
    const headers = new Map(
      fields
        .trim()
        .split('\r\n')
        .filter((field) => field !== '')
        .map((field) => field.split(/: */, 2) as [string, string])
        .map(([name, value]) => [name.toLowerCase(), value] as const),
    );
    const start = rest.indexOf('\r\n\r\n') + 4;
    const end = start + Number(headers.get('content-length') ?? 0);
    responses.push({ status: Number(status), headers, body: rest.slice(start, end) });
    rest = rest.slice(end);
  }
  return responses;
}
