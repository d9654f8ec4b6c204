import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** An S3 with a bucket in memory, as far as images need it: put and get. It can fall silent: then it accepts and never answers. */
export interface MemoryS3 {
  endpoint: string;
  isSilent: boolean;
  close(): void;
}

interface StoredObject {
  body: Buffer;
  headers: Record<string, string>;
}

/** Starts it. It knows neither signatures nor listings. */
export async function startMemoryS3(): Promise<MemoryS3> {
  const objects = new Map<string, StoredObject>();
  const server = createServer((request, response) => {
    if (!s3.isSilent) void answer(objects, request, response);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const s3: MemoryS3 = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    isSilent: false,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return s3;
}

async function answer(
  objects: Map<string, StoredObject>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const key = request.url?.split('?', 1)[0] ?? '';
  if (request.method === 'PUT') {
    const body = await buffer(request);
    const etag = `"${createHash('md5').update(body).digest('hex')}"`;
    const kept = Object.entries(request.headers).filter(([name]) =>
      /^(content-type|cache-control|x-amz-meta-.+)$/.test(name),
    );
    objects.set(key, { body, headers: { ...(Object.fromEntries(kept) as Record<string, string>), etag } });
    response.writeHead(200, { etag }).end();
    return;
  }
  const object = objects.get(key);
  if (object) response.writeHead(200, object.headers).end(object.body);
  else
    response
      .writeHead(404, { 'content-type': 'application/xml' })
      .end('<Error><Code>NoSuchKey</Code></Error>');
}
